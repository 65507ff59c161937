"""The engine: exactly-once folds over Kafka, on Faust's group, assignor and worker.

Begin with `processor.py` (what it asks of the code it runs) and `stage.py` (what it is told). A batch's
way: `fetch_thread` → `transport` → `task` (fold) → `transaction` (outputs, state and offsets at once) →
`store`. A partition's way in: `supervise` → `opening` (fence, then read) → `recovery` → `task`.
"""
