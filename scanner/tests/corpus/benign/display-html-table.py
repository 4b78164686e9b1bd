# expect: LOW
from IPython.display import HTML, display
display(HTML("<table><tr><td>1</td></tr></table>"))
