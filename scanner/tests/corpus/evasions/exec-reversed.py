# expect: BLOCKED
exec(")'~ fr- mr'(metsys.so ;so tropmi"[::-1])
