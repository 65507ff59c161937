"""MedCom's letters from before FHIR, as EDIFACT and as OIOXML: one mapping for both; CTL and XCTL receipts out."""
