import time
from taciturn.paper_figures import registry
def test_x(small,tmp_path):
    for n in registry.names():
        t=time.process_time(); registry.draw(n,tmp_path); print(n,time.process_time()-t)
