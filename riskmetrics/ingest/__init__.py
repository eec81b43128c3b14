"""From the vendor into the tables: what is missing is asked for, compared with what is stored, and written."""
