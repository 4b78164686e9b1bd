# expect: MEDIUM
import zipimport
zipimport.zipimporter("/tmp/p.zip").load_module("evil")
