# expect: LOW
from IPython.display import HTML, display
display(HTML("<b>done</b>"))
