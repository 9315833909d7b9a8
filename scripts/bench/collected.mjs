/** `node --expose-gc --import collected.mjs main.js run`: what is in memory is in use, but for the garbage of some seconds. */

setInterval(() => globalThis.gc(), 5000).unref();
