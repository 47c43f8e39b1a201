"""What `./radi demo` shows: invented patients with orders, images, a few rooms, and what is asked for today."""

from radiology.demo.samples import ACCOUNT, AE_TITLE, load

__all__ = ["ACCOUNT", "AE_TITLE", "load"]
