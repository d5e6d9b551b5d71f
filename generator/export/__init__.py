"""Export: datasets in the forms that programs load which talk to personas."""
