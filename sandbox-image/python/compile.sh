# Compiles the standard library and the hold inside the root file system $1, so that no import compiles.
# Unchecked: the root is read-only, so a module's cache can never be older than its source.
set -eu
# Workers share semaphores, which are not to be had where /dev cannot be mounted: then there is one.
workers=0
chroot "$1" /usr/bin/python3 -IBc 'import multiprocessing; multiprocessing.Lock()' 2>/dev/null || workers=1
for library in "$1"/usr/lib/python3*/; do
    inside=${library#"$1"}
    chroot "$1" /usr/bin/python3 -IBm compileall -q -j "$workers" --invalidation-mode unchecked-hash "$inside"
done
# Packages on top, where a variant has any. Some bring files for other Pythons, which do not compile.
for library in "$1"/usr/local/lib/python3*/dist-packages/; do
    [ -d "$library" ] || continue
    inside=${library#"$1"}
    chroot "$1" /usr/bin/python3 -IBm compileall -qq -j "$workers" --invalidation-mode unchecked-hash "$inside" || true
done
# Each container imports it as it starts. Compiled there it costs a megabyte that stays with the interpreter.
chroot "$1" /usr/bin/python3 -IBm compileall -q --invalidation-mode unchecked-hash /opt/saferun/hold
chroot "$1" /sbin/ldconfig
