# Removes from / what remove.list names, for the Dockerfile; the offline build does it in Rust.
set -eu
list=$1
keep=$(mktemp -d)
cd /
sed -n 's/^!//p' "$list" | while read -r pattern; do
    # Unquoted on purpose: the pattern is a glob.
    for path in $pattern; do
        if [ -e "$path" ]; then cp -a --parents "$path" "$keep"; fi
    done
done
grep -v -e '^#' -e '^!' -e '^$' "$list" | while read -r pattern; do
    case $pattern in dev|proc|sys|run|opt|root) continue ;; esac
    rm -rf $pattern
done
cp -a "$keep"/. /
rm -rf "$keep"
find / -xdev -perm /6000 -type f -exec chmod a-s {} +
