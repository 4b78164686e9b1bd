# expect: LOW
import time, schedule, datetime


def job():
    with open("heartbeat.log", "a") as f:
        f.write(f"{datetime.datetime.now():%c}\n")


schedule.every(10).minutes.do(job)
while True:
    schedule.run_pending()
    time.sleep(1)
