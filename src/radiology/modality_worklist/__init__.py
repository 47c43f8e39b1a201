"""The two ends of an acquisition: what is scheduled for a modality, and what the modality reports of it.

A scheduled procedure step is one item of the Modality Worklist (PS3.4 K; IHE RAD-5). A performed procedure step is the
record that a modality begins with N-CREATE and ends with N-SET (PS3.4 F.7; IHE RAD-6 and RAD-7). Orders, which come
before, own scheduled steps by `service_request`; studies, which come after, follow performed steps.
"""
