"""How orders fare, told to other systems by HL7 messages (ORM^O01 or OMG^O19 with SC; HL7 2.5.1 4.3, 4.4; IHE RAD-3).

`following` makes messages of events, in the transaction in which the events are read; a job sends those of an order in
order, each until the receiver has answered, for a day.
"""
