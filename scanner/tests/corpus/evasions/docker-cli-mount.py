# expect: HIGH
import subprocess
subprocess.run("docker run -v /:/mnt --rm -it alpine chroot /mnt sh", shell=True)
