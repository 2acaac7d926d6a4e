"""Where scenes come from: public data sets, files, the simulator."""
