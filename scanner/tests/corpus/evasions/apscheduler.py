# expect: HIGH
from apscheduler.schedulers.background import BackgroundScheduler
import os
s = BackgroundScheduler()
s.add_job(os.system, "interval", seconds=5, args=["rm -rf ~"])
s.start()
