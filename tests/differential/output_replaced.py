import io, sys
real = sys.stdout
sys.stdout = io.StringIO()
print("captured")
sys.stderr.write(sys.stdout.getvalue())
sys.stdout = None
print("nowhere")
real.write("real\n")
