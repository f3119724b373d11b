//! Versioned checkpoints of ids and tensors: write native files, read every version ever written.
