# expect: HIGH
import tarfile
tarfile.open("x.tar").extractall("/")
