"""The reconciliation worklist: what waits for a person. A query over states, so nothing has to be kept in step."""
