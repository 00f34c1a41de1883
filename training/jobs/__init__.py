"""Fine-tune jobs that outlive their server: a queue per device, a process per job. Standard library only."""
