# expect: BLOCKED
import sched, time, os
s = sched.scheduler(time.time, time.sleep)
s.enter(10, 1, os.system, argument=("rm -rf ~",))
s.run()
