"""What is said of the codes wherever the catalogue is given away."""

from typing import Final

COPYRIGHT: Final = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. "
    "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, "
    "Inc. RadLex Playbook identifiers are copyright © Radiological Society of North America."
)
