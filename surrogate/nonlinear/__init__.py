"""The nonlinear part of the response, on few points."""
