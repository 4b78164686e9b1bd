# expect: LOW
match "rm":
    case "rm":
        print("no")
