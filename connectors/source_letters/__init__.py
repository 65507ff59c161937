"""Notices as CareCommunications to the sources they are for: outbox, MedCom's rule of resending, acknowledgements."""
