"""The kernels, in Numba. Imported only to compile them: see `machine.py`."""
