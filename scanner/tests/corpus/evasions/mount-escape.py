# expect: HIGH
import os
os.system("mount /dev/sda1 /mnt && chroot /mnt")
