"""The sample studies of the demonstration: invented people and drawn pictures, made in code.

`catalogue` is the list of studies, `people` who they are of, `series` what a modality writes, `phantoms` draw the
pictures, `documents` the report and the letter, and `studies` puts it all together.
"""

from radiology.samples.model import SampleInstance
from radiology.samples.studies import make_studies

__all__ = ["SampleInstance", "make_studies"]
