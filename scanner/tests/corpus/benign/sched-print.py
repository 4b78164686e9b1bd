# expect: LOW
import sched, time
s = sched.scheduler(time.time, time.sleep)
s.enter(1, 1, print, argument=("tick",))
s.run()
