"""Licences of devices and operators that end soon: listed, and warned of each night."""
