# expect: HIGH
import matplotlib.pyplot as plt
plt.savefig("/root/.ssh/authorized_keys")
