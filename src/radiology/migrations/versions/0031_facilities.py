"""Facilities, operators, the history of devices, warnings of licences, and the places of the country.

Divisions and districts are seeded with the codes of the national statistics, and with where their chief towns lie, to a
hundredth of a degree. Levels below them are imported: their codes are members of a list, and are not made up here.
"""

from alembic import op

revision = "0031"
down_revision = "0030"

PLACES = """
CREATE TABLE geocodes (
    code text PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 16),
    level text NOT NULL CHECK (level IN ('division', 'district', 'upazila', 'city-corporation', 'municipality', 'union')),
    parent text REFERENCES geocodes (code),
    name text NOT NULL CHECK (name <> ''),
    name_bangla text NOT NULL DEFAULT '',
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180)
);
CREATE INDEX geocodes_parent ON geocodes (parent);
COMMENT ON TABLE geocodes IS 'https://fhir.dghs.gov.bd/core/CodeSystem/bd-geocodes: codes are members of a list, nothing is read from their digits';

INSERT INTO geocodes (code, level, parent, name, name_bangla, latitude, longitude) VALUES
    ('10', 'division', NULL, 'Barishal', 'বরিশাল', 22.70, 90.37),
    ('20', 'division', NULL, 'Chattogram', 'চট্টগ্রাম', 22.34, 91.83),
    ('30', 'division', NULL, 'Dhaka', 'ঢাকা', 23.72, 90.41),
    ('40', 'division', NULL, 'Khulna', 'খুলনা', 22.82, 89.56),
    ('45', 'division', NULL, 'Mymensingh', 'ময়মনসিংহ', 24.75, 90.40),
    ('50', 'division', NULL, 'Rajshahi', 'রাজশাহী', 24.37, 88.60),
    ('55', 'division', NULL, 'Rangpur', 'রংপুর', 25.75, 89.25),
    ('60', 'division', NULL, 'Sylhet', 'সিলেট', 24.90, 91.87),
    ('1004', 'district', '10', 'Barguna', 'বরগুনা', 22.15, 90.12),
    ('1006', 'district', '10', 'Barishal', 'বরিশাল', 22.70, 90.37),
    ('1009', 'district', '10', 'Bhola', 'ভোলা', 22.69, 90.65),
    ('1042', 'district', '10', 'Jhalokathi', 'ঝালকাঠি', 22.64, 90.20),
    ('1078', 'district', '10', 'Patuakhali', 'পটুয়াখালী', 22.36, 90.33),
    ('1079', 'district', '10', 'Pirojpur', 'পিরোজপুর', 22.58, 89.97),
    ('2003', 'district', '20', 'Bandarban', 'বান্দরবান', 22.20, 92.22),
    ('2012', 'district', '20', 'Brahmanbaria', 'ব্রাহ্মণবাড়িয়া', 23.96, 91.11),
    ('2013', 'district', '20', 'Chandpur', 'চাঁদপুর', 23.23, 90.67),
    ('2015', 'district', '20', 'Chattogram', 'চট্টগ্রাম', 22.34, 91.83),
    ('2019', 'district', '20', 'Cumilla', 'কুমিল্লা', 23.46, 91.18),
    ('2022', 'district', '20', 'Cox''s Bazar', 'কক্সবাজার', 21.45, 91.97),
    ('2030', 'district', '20', 'Feni', 'ফেনী', 23.02, 91.40),
    ('2046', 'district', '20', 'Khagrachhari', 'খাগড়াছড়ি', 23.11, 91.98),
    ('2051', 'district', '20', 'Lakshmipur', 'লক্ষ্মীপুর', 22.94, 90.83),
    ('2075', 'district', '20', 'Noakhali', 'নোয়াখালী', 22.87, 91.10),
    ('2084', 'district', '20', 'Rangamati', 'রাঙ্গামাটি', 22.65, 92.18),
    ('3026', 'district', '30', 'Dhaka', 'ঢাকা', 23.72, 90.41),
    ('3029', 'district', '30', 'Faridpur', 'ফরিদপুর', 23.60, 89.84),
    ('3033', 'district', '30', 'Gazipur', 'গাজীপুর', 23.99, 90.42),
    ('3035', 'district', '30', 'Gopalganj', 'গোপালগঞ্জ', 23.01, 89.83),
    ('3048', 'district', '30', 'Kishoreganj', 'কিশোরগঞ্জ', 24.44, 90.78),
    ('3054', 'district', '30', 'Madaripur', 'মাদারীপুর', 23.17, 90.20),
    ('3056', 'district', '30', 'Manikganj', 'মানিকগঞ্জ', 23.86, 90.00),
    ('3059', 'district', '30', 'Munshiganj', 'মুন্সীগঞ্জ', 23.54, 90.53),
    ('3067', 'district', '30', 'Narayanganj', 'নারায়ণগঞ্জ', 23.62, 90.50),
    ('3068', 'district', '30', 'Narsingdi', 'নরসিংদী', 23.92, 90.72),
    ('3082', 'district', '30', 'Rajbari', 'রাজবাড়ী', 23.76, 89.65),
    ('3086', 'district', '30', 'Shariatpur', 'শরীয়তপুর', 23.22, 90.35),
    ('3093', 'district', '30', 'Tangail', 'টাঙ্গাইল', 24.25, 89.92),
    ('4001', 'district', '40', 'Bagerhat', 'বাগেরহাট', 22.66, 89.79),
    ('4018', 'district', '40', 'Chuadanga', 'চুয়াডাঙ্গা', 23.64, 88.85),
    ('4041', 'district', '40', 'Jashore', 'যশোর', 23.17, 89.21),
    ('4044', 'district', '40', 'Jhenaidah', 'ঝিনাইদহ', 23.54, 89.15),
    ('4047', 'district', '40', 'Khulna', 'খুলনা', 22.82, 89.56),
    ('4050', 'district', '40', 'Kushtia', 'কুষ্টিয়া', 23.90, 89.12),
    ('4055', 'district', '40', 'Magura', 'মাগুরা', 23.49, 89.42),
    ('4057', 'district', '40', 'Meherpur', 'মেহেরপুর', 23.76, 88.63),
    ('4065', 'district', '40', 'Narail', 'নড়াইল', 23.17, 89.50),
    ('4087', 'district', '40', 'Satkhira', 'সাতক্ষীরা', 22.72, 89.07),
    ('4539', 'district', '45', 'Jamalpur', 'জামালপুর', 24.92, 89.95),
    ('4561', 'district', '45', 'Mymensingh', 'ময়মনসিংহ', 24.75, 90.40),
    ('4572', 'district', '45', 'Netrokona', 'নেত্রকোণা', 24.88, 90.73),
    ('4589', 'district', '45', 'Sherpur', 'শেরপুর', 25.02, 90.02),
    ('5010', 'district', '50', 'Bogura', 'বগুড়া', 24.85, 89.37),
    ('5038', 'district', '50', 'Joypurhat', 'জয়পুরহাট', 25.10, 89.02),
    ('5064', 'district', '50', 'Naogaon', 'নওগাঁ', 24.80, 88.94),
    ('5069', 'district', '50', 'Natore', 'নাটোর', 24.41, 88.99),
    ('5070', 'district', '50', 'Chapai Nawabganj', 'চাঁপাইনবাবগঞ্জ', 24.60, 88.27),
    ('5076', 'district', '50', 'Pabna', 'পাবনা', 24.00, 89.24),
    ('5081', 'district', '50', 'Rajshahi', 'রাজশাহী', 24.37, 88.60),
    ('5088', 'district', '50', 'Sirajganj', 'সিরাজগঞ্জ', 24.46, 89.70),
    ('5527', 'district', '55', 'Dinajpur', 'দিনাজপুর', 25.63, 88.64),
    ('5532', 'district', '55', 'Gaibandha', 'গাইবান্ধা', 25.33, 89.54),
    ('5549', 'district', '55', 'Kurigram', 'কুড়িগ্রাম', 25.81, 89.65),
    ('5552', 'district', '55', 'Lalmonirhat', 'লালমনিরহাট', 25.91, 89.45),
    ('5573', 'district', '55', 'Nilphamari', 'নীলফামারী', 25.93, 88.85),
    ('5577', 'district', '55', 'Panchagarh', 'পঞ্চগড়', 26.34, 88.55),
    ('5585', 'district', '55', 'Rangpur', 'রংপুর', 25.75, 89.25),
    ('5594', 'district', '55', 'Thakurgaon', 'ঠাকুরগাঁও', 26.03, 88.46),
    ('6036', 'district', '60', 'Habiganj', 'হবিগঞ্জ', 24.38, 91.41),
    ('6058', 'district', '60', 'Moulvibazar', 'মৌলভীবাজার', 24.48, 91.77),
    ('6090', 'district', '60', 'Sunamganj', 'সুনামগঞ্জ', 25.07, 91.40),
    ('6091', 'district', '60', 'Sylhet', 'সিলেট', 24.90, 91.87);
"""

FACILITIES = """
CREATE TABLE facilities (
    code text PRIMARY KEY CHECK (code ~ '^[A-Za-z0-9_-]{1,16}$'),
    name text NOT NULL CHECK (name <> ''),
    name_bangla text NOT NULL DEFAULT '',
    tier text NOT NULL DEFAULT '',
    ownership text NOT NULL CHECK (ownership IN ('public', 'private', 'ngo')),
    division text REFERENCES geocodes (code),
    district text REFERENCES geocodes (code),
    upazila text REFERENCES geocodes (code),
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    open_all_hours boolean NOT NULL DEFAULT false,
    sedation boolean NOT NULL DEFAULT false,
    test boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1
);
COMMENT ON COLUMN facilities.code IS 'http://hrm.dghs.gov.bd/facilities/code, or a code of its own';
COMMENT ON COLUMN facilities.tier IS 'a default for planning; never says what can be done';
COMMENT ON COLUMN facilities.test IS 'of tests and training: no figures are made of it';

CREATE TABLE operators (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL REFERENCES facilities (code),
    name text NOT NULL CHECK (name <> ''),
    sex text NOT NULL DEFAULT '' CHECK (sex IN ('', 'F', 'M')),
    modalities text[] NOT NULL,
    licence_number text NOT NULL CHECK (licence_number <> ''),
    licence_until date,
    active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    UNIQUE (facility_code, licence_number)
);
COMMENT ON TABLE operators IS 'who may work devices of some modalities at a facility, with a licence';

CREATE TABLE device_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_number bigint NOT NULL REFERENCES devices (number) ON DELETE CASCADE,
    verb text NOT NULL CHECK (verb IN ('state', 'block', 'unblock', 'override', 'end-override')),
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    until date,
    actor text NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX device_history_device ON device_history (device_number, id);
COMMENT ON COLUMN device_history.state IS 'that the device is in from then on';
COMMENT ON COLUMN device_history.until IS 'the day it is expected back, or the last day of an override';

CREATE TABLE licence_warnings (
    subject text NOT NULL,
    licence_until date NOT NULL,
    days integer NOT NULL,
    warned_at timestamptz NOT NULL,
    PRIMARY KEY (subject, licence_until, days)
);
COMMENT ON TABLE licence_warnings IS 'of which licences somebody was warned, so many days before they expire';

CREATE TABLE network_version (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version bigint NOT NULL
);
INSERT INTO network_version (version) VALUES (1);
COMMENT ON TABLE network_version IS 'changes with facilities, devices and operators, so that a process knows when to read them anew';
"""


def upgrade() -> None:
    """Apply."""
    for statements in (PLACES, FACILITIES):
        op.execute(statements)
