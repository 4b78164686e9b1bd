# expect: HIGH
import os
os.system("cp x.service /etc/systemd/system/ && systemctl enable --now x")
