"""Where customers' programs bind to us: servers of SMPP 3.4 and CMPP, in front of the same first stage as HTTP."""
