"""Who carries out many calculations: processes of this machine, or any `concurrent.futures.Executor`."""
