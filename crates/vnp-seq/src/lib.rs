//! FASTA and FASTQ records, cut into chunks and translated into stop-free reading frames.
