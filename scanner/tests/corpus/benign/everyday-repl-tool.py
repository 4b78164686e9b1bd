# expect: MEDIUM
import cmd, shlex, os, pprint


class Shell(cmd.Cmd):
    prompt = "fs> "

    def do_ls(self, arg):
        for n in sorted(os.listdir(arg or ".")):
            print(n)

    def do_cat(self, arg):
        for p in shlex.split(arg):
            with open(p) as f:
                print(f.read())

    def do_rm(self, arg):
        if input(f"remove {arg}? ") == "y":
            os.remove(arg)

    def do_quit(self, arg):
        return True


if __name__ == "__main__":
    Shell().cmdloop()
