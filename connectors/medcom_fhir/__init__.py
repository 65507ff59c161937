"""MedCom's FHIR messages: HospitalNotification and CareCommunication in, Acknowledgement in and out."""
