# Runs a command in a throw-away overlay of the host's root; what it changes there is gone with it.
#
# In a mount namespace and a PID namespace of its own (see overlay.mjs):
#   overlay.sh SCRATCH LAYER KEEP NODE DIRECTORY SHARED COMMAND...
# SCRATCH   an empty directory of the host, for the mounts
# LAYER     an archive of earlier changes to begin with, or nothing
# KEEP      the archive to make of the changes once the command has succeeded, or nothing
# NODE      the node program
# DIRECTORY shared with the host, at the same path
# SHARED    another such directory, or nothing. Temporary files are kept in memory.
set -e
scratch=$1 layer=$2 keep=$3 node=$4 directory=$5 shared=$6
shift 6

# In memory, because the host's root may itself be an overlay, whose file system cannot hold another's changes.
mount -t tmpfs -o mode=755 tmpfs "$scratch"
changes=$scratch/changes root=$scratch/root
mkdir "$changes" "$scratch/work" "$root"
if [ -n "$layer" ]; then tar -x --xattrs --xattrs-include='*' -C "$changes" -f "$layer"; fi

# lowerdir=/ does not see what is mounted below it.
for part in / /usr /var /etc; do
  if [ "$part" = / ] || mountpoint -q "$part"; then
    name=$(echo "root$part" | tr / -)
    mkdir -p "$changes/$name" "$scratch/work/$name"
    mount -t overlay overlay \
      -o "lowerdir=$part,upperdir=$changes/$name,workdir=$scratch/work/$name" "$root$part"
  fi
done

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for path in "$directory" "$shared"; do
  if [ -n "$path" ]; then
    mkdir -p "$root$path"
    mount --bind "$path" "$root$path"
  fi
done
if [ ! -x "$root$node" ]; then
  mkdir -p "$(dirname "$root$node")"
  : > "$root$node"
  mount --bind "$node" "$root$node"
fi
for file in /etc/resolv.conf /etc/hosts; do
  if [ -e "$file" ]; then
    rm -f "$root$file"
    cat "$file" > "$root$file"
  fi
done

set -- chroot "$root" env -C "$directory" TMPDIR=/tmp "$@"
if [ -z "$keep" ]; then exec "$@"; fi
"$@"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/*
tar -c --xattrs --xattrs-include='*' -C "$changes" -f "$keep.part" .
mv "$keep.part" "$keep"
