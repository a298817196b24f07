"""What turns the text of items into vectors: RECOMMENDER_ENCODERS, one entry an encoder.

An embedding space whose `encoder` names an entry gets its vectors in each rebuild (`training.embedding_spaces`) instead
of having them uploaded. `base.py` is the interface, the other files are one encoder each, `checks.py` explains a wrong
setting.
"""
