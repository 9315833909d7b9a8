/** Where things are when nobody says. */

export const defaultConfigFile = "/etc/popgate/popgate.toml";

/** The state, and usually the tables. */
export const defaultStateDir = "/var/lib/popgate";
