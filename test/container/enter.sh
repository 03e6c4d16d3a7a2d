# Becomes a program in an image's root, as in a pod of the chart: only a volume is writable. It gets its own mount
# namespace, which ends with it.
set -eu
root=$1 workdir=$2 user=$3 configuration=$4 volume=$5
shift 5
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev" "$root/etc/backlog-scaler" "$root/data"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$configuration" "$root/etc/backlog-scaler"
mount --bind "$volume" "$root/data"
mount -o remount,bind,ro "$root"
exec unshare --root="$root" --wd="$workdir" --setgid="${user#*:}" --setuid="${user%:*}" "$@"
