"""MedCom's FHIR messages: HospitalNotification 3.0 in, Acknowledgement 2.0 out."""
