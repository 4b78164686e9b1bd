# expect: MEDIUM
import os
import paramiko

c = paramiko.SSHClient()
c.load_system_host_keys()
c.connect("app.example.com", username="deploy", key_filename=os.path.expanduser("~/.ssh/id_ed25519"))
with c.open_sftp() as sftp:
    sftp.put("dist/app.tar.gz", "/srv/app/app.tar.gz")
_, out, err = c.exec_command("tar xzf /srv/app/app.tar.gz -C /srv/app && systemctl --user restart app")
print(out.read().decode(), err.read().decode())
c.close()
