"""What a person is told of each finding, in English and in Bangla: what happened, and what to change on which side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["en", "bn"]


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in one language, with the names of values in braces. A side where nothing is to be done is empty."""

    happened: str
    modality_side: str
    our_side: str = ""


TEXTS: Final[Mapping[str, Mapping[Language, Said]]] = {
    "called_ae_title": {
        "en": Said(
            "The machine called for {called}, but this service is called {ours}.",
            "Set the AE title of the destination (called AE title) to {ours}. Capital and small letters differ.",
        ),
        "bn": Said(
            "মেশিনটি {called} নামে ডেকেছে, কিন্তু এই সার্ভিসের নাম {ours}।",
            "গন্তব্যের AE title (called AE title) {ours} করে দিন। বড় হাতের ও ছোট হাতের অক্ষর আলাদা ধরা হয়।",
        ),
    },
    "calling_ae_title": {
        "en": Said(
            "The machine calls itself {calling}. No machine of that name is registered here, or it is switched off.",
            "Check the machine's own AE title (calling AE title).{similar}",
            "If the name is right, register {calling} with its address {host}.",
        ),
        "bn": Said(
            "মেশিনটি নিজের নাম {calling} বলেছে। এই নামে কোনো মেশিন এখানে নিবন্ধিত নেই, অথবা সেটি বন্ধ করে রাখা হয়েছে।",
            "মেশিনের নিজের AE title (calling AE title) মিলিয়ে দেখুন।{similar}",
            "নামটি ঠিক থাকলে {calling} নামে, {host} ঠিকানাসহ মেশিনটি নিবন্ধন করুন।",
        ),
    },
    "address": {
        "en": Said(
            "{calling} called from the address {host}, which is not registered for it.",
            "Check that the machine has the IP address that was planned: {registered}.",
            "If the machine was moved or has a new address, add {host} to the addresses of {calling}.",
        ),
        "bn": Said(
            "{calling} যে ঠিকানা থেকে ডেকেছে ({host}), সেটি তার জন্য নিবন্ধিত নয়।",
            "মেশিনের IP ঠিকানা নির্ধারিত ঠিকানার সঙ্গে মেলে কি না দেখুন: {registered}।",
            "মেশিনটি সরানো হয়ে থাকলে বা নতুন ঠিকানা পেয়ে থাকলে {calling}-এর ঠিকানার তালিকায় {host} যোগ করুন।",
        ),
    },
    "user_identity": {
        "en": Said(
            "{calling} must name its user with a passcode (user identity negotiation), and named none or a wrong one.",
            "Enter the user name and password of an account of this service in the machine's settings.",
            "If the machine cannot send them, switch off the check of users (checksUser) in the record of {calling}.",
        ),
        "bn": Said(
            "{calling}-কে ব্যবহারকারীর নাম ও পাসওয়ার্ড (user identity) জানাতে হয়; মেশিনটি তা দেয়নি, অথবা ভুল দিয়েছে।",
            "মেশিনের সেটিংসে এই সার্ভিসের কোনো অ্যাকাউন্টের নাম ও পাসওয়ার্ড দিন।",
            "মেশিনটি তা পাঠাতে না পারলে {calling}-এর নিবন্ধনে ব্যবহারকারী যাচাই (checksUser) বন্ধ করুন।",
        ),
    },
    "transfer_syntax": {
        "en": Said(
            "For {names} the machine offered only encodings (transfer syntaxes) that are not taken here: {syntaxes}.",
            "Let the machine also offer Implicit VR Little Endian or Explicit VR Little Endian.",
        ),
        "bn": Said(
            "{names}-এর জন্য মেশিনটি শুধু এমন এনকোডিং (transfer syntax) প্রস্তাব করেছে যা এখানে নেওয়া হয় না: {syntaxes}।",
            "মেশিনের সেটিংসে Implicit VR Little Endian অথবা Explicit VR Little Endian-ও চালু করুন।",
        ),
    },
    "sop_class": {
        "en": Said(
            "The machine asked for {names}, which this service does not offer.",
            "Switch this off for this destination, or send it to a machine that offers it.",
            "If these are images of a manufacturer's own kind, allow unknown storage classes (ACCEPT_UNKNOWN_STORAGE).",
        ),
        "bn": Said(
            "মেশিনটি {names} চেয়েছে, যা এই সার্ভিস দেয় না।",
            "এই গন্তব্যের জন্য এটি বন্ধ করুন, অথবা যে সিস্টেম এটি দেয় সেখানে পাঠান।",
            "এগুলো প্রস্তুতকারকের নিজস্ব ধরনের ছবি হলে অজানা ধরন গ্রহণ করার সেটিং (ACCEPT_UNKNOWN_STORAGE) চালু করুন।",
        ),
    },
    "service_not_allowed": {
        "en": Said(
            "{calling} asked for {names}, which it is not allowed to use.",
            "Switch this off on the machine if it does not need it.",
            "If it does, add the service to the record of {calling}.",
        ),
        "bn": Said(
            "{calling} {names} ব্যবহার করতে চেয়েছে, কিন্তু তার সেই অনুমতি নেই।",
            "দরকার না হলে মেশিনে এটি বন্ধ করুন।",
            "দরকার হলে {calling}-এর রেকর্ডে সার্ভিসটি যোগ করুন।",
        ),
    },
    "too_many_associations": {
        "en": Said(
            "{calling} had as many connections (associations) open as it may have, and asked for one more.",
            "Let the machine open fewer connections at once, and close those that it does not need.",
            "If the machine needs them, raise the limit (maxAssociations of {calling}, or MAX_ASSOCIATIONS).",
        ),
        "bn": Said(
            "{calling}-এর যতগুলো সংযোগ (association) খোলা রাখার অনুমতি আছে ততগুলোই খোলা ছিল, তবু সে আরও একটি চেয়েছে।",
            "মেশিনকে একসঙ্গে কম সংযোগ খুলতে দিন, আর যেগুলো দরকার নেই সেগুলো বন্ধ করান।",
            "মেশিনের সত্যিই দরকার হলে সীমা বাড়ান ({calling}-এর maxAssociations, অথবা MAX_ASSOCIATIONS)।",
        ),
    },
    "tls_on_plain_port": {
        "en": Said(
            "A machine at {host} began with TLS (encryption) on the port without TLS.",
            "Either switch TLS off for this destination, or set the port that speaks TLS (usually 2762).",
        ),
        "bn": Said(
            "{host} ঠিকানার একটি মেশিন TLS (এনক্রিপশন) ছাড়া পোর্টে TLS দিয়ে শুরু করেছে।",
            "এই গন্তব্যের জন্য হয় TLS বন্ধ করুন, নয়তো TLS-এর পোর্ট দিন (সাধারণত 2762)।",
        ),
    },
    "plain_on_tls_port": {
        "en": Said(
            "A machine at {host} called without TLS (encryption) where TLS is required.",
            "Either switch TLS on for this destination, or set the port without TLS (usually 11112).",
            "If the machine cannot do TLS and stands in the hospital's own network, set its tls to allowed.",
        ),
        "bn": Said(
            "{host} ঠিকানার একটি মেশিন TLS (এনক্রিপশন) ছাড়া ডেকেছে, অথচ এখানে TLS বাধ্যতামূলক।",
            "এই গন্তব্যের জন্য হয় TLS চালু করুন, নয়তো TLS ছাড়া পোর্ট দিন (সাধারণত 11112)।",
            "মেশিনটি TLS না পারলে এবং হাসপাতালের নিজস্ব নেটওয়ার্কে থাকলে তার tls সেটিং allowed করুন।",
        ),
    },
    "certificate_expired": {
        "en": Said(
            "The certificate that the machine at {host} showed is no longer valid, or not yet valid.",
            "Put a new certificate on the machine, and check the machine's date.",
            "Check the date of this server too.",
        ),
        "bn": Said(
            "{host} ঠিকানার মেশিন যে সার্টিফিকেট দেখিয়েছে তার মেয়াদ শেষ, অথবা এখনো শুরু হয়নি।",
            "মেশিনে নতুন সার্টিফিকেট বসান এবং মেশিনের তারিখ মিলিয়ে দেখুন।",
            "এই সার্ভারের তারিখও মিলিয়ে দেখুন।",
        ),
    },
    "certificate_refused": {
        "en": Said(
            "The machine at {host} showed no certificate, or one that is not trusted here or is another machine's.",
            "Put the certificate on the machine that was made for it.",
            "Trust the authority that signed it, or bind the certificate to the record of the machine.",
        ),
        "bn": Said(
            "{host} ঠিকানার মেশিন কোনো সার্টিফিকেট দেখায়নি, অথবা এমন একটি দেখিয়েছে যা এখানে বিশ্বস্ত নয় বা অন্য মেশিনের।",
            "মেশিনটির জন্য তৈরি করা সার্টিফিকেটটিই তাতে বসান।",
            "যে কর্তৃপক্ষ এতে স্বাক্ষর করেছে তাকে বিশ্বস্ত তালিকায় রাখুন, অথবা মেশিনের রেকর্ডে সার্টিফিকেটটি যুক্ত করুন।",
        ),
    },
    "worklist_station": {
        "en": Said(
            "The worklist query asked for the work of {asked}; the steps that wait are for {there}.",
            "Let the machine ask with the station AE title that the work is scheduled for.",
            "Or schedule the work for {asked}.",
        ),
        "bn": Said(
            "ওয়ার্কলিস্টে {asked}-এর কাজ চাওয়া হয়েছে; কিন্তু অপেক্ষমাণ কাজগুলো {there}-এর জন্য।",
            "যে station AE title-এর নামে কাজ নির্ধারিত, মেশিনকে সেই নামেই চাইতে দিন।",
            "অথবা কাজগুলো {asked}-এর নামে নির্ধারণ করুন।",
        ),
    },
    "worklist_modality": {
        "en": Said(
            "The worklist query asked for the modality {asked}; the steps that wait have {there}.",
            "Set the modality as DICOM writes it, in capital letters: {there}.",
            "Check the modality of the procedures if the machine is right.",
        ),
        "bn": Said(
            "ওয়ার্কলিস্টে {asked} মডালিটির কাজ চাওয়া হয়েছে; কিন্তু অপেক্ষমাণ কাজগুলোর মডালিটি {there}।",
            "মডালিটি DICOM-এর নিয়মে বড় হাতের অক্ষরে লিখুন: {there}।",
            "মেশিনের সেটিং ঠিক থাকলে পরীক্ষাগুলোর মডালিটি মিলিয়ে দেখুন।",
        ),
    },
    "worklist_date": {
        "en": Said(
            "The worklist query asked for the date {asked}; the steps that wait are on {there}.",
            "Check the machine's date, and the days that it asks for.",
            "Check the day for which the work is scheduled.",
        ),
        "bn": Said(
            "ওয়ার্কলিস্টে {asked} তারিখের কাজ চাওয়া হয়েছে; কিন্তু অপেক্ষমাণ কাজগুলো {there} তারিখে।",
            "মেশিনের তারিখ এবং কোন কোন দিনের কাজ চাওয়া হচ্ছে তা মিলিয়ে দেখুন।",
            "কাজ কোন দিনের জন্য নির্ধারিত তা মিলিয়ে দেখুন।",
        ),
    },
    "worklist_patient_id": {
        "en": Said(
            "The worklist query gave a patient number of the form {asked}; numbers here have the form {there} "
            "(A a letter, 9 a digit).",
            "Type or scan the number as it is printed, without a prefix or spaces that the barcode reader adds.",
        ),
        "bn": Said(
            "ওয়ার্কলিস্টে রোগীর নম্বর দেওয়া হয়েছে {asked} আকারে; এখানে নম্বরের আকার {there} (A মানে অক্ষর, 9 মানে অঙ্ক)।",
            "নম্বরটি যেভাবে ছাপা আছে সেভাবেই লিখুন বা স্ক্যান করুন; বারকোড রিডার যেন আগে-পরে কিছু যোগ না করে।",
        ),
    },
    "worklist_empty": {
        "en": Said(
            "The worklist query found nothing: no work that waits fits all that was asked.",
            "",
            "Check that the order was scheduled, and that it was not already done or cancelled.",
        ),
        "bn": Said(
            "ওয়ার্কলিস্টে কিছু পাওয়া যায়নি: যা যা চাওয়া হয়েছে তার সবগুলোর সঙ্গে মেলে এমন কোনো কাজ অপেক্ষায় নেই।",
            "",
            "অর্ডারটি নির্ধারণ (schedule) করা হয়েছে কি না, কিংবা আগেই শেষ বা বাতিল হয়ে গেছে কি না দেখুন।",
        ),
    },
    "performed_step_unknown": {
        "en": Said(
            "The machine reported on a performed procedure step (MPPS) that this service does not know.",
            "Let the machine send the beginning of the step (N-CREATE) to this service too, and only once.",
            "If the beginning went to another system, the step can be completed by hand.",
        ),
        "bn": Said(
            "মেশিনটি এমন একটি পরীক্ষার ধাপের (MPPS) খবর পাঠিয়েছে যা এই সার্ভিস চেনে না।",
            "ধাপ শুরুর খবরও (N-CREATE) মেশিন থেকে এই সার্ভিসেই পাঠান, এবং একবারই।",
            "শুরুর খবর অন্য সিস্টেমে গিয়ে থাকলে ধাপটি হাতে সম্পূর্ণ করা যায়।",
        ),
    },
    "charset_undecodable": {
        "en": Said(
            "The text of stored images does not fit the character set that they name.",
            "Set the character set of the machine to ISO_IR 192 (UTF-8), or to the one that it really writes.",
        ),
        "bn": Said(
            "জমা হওয়া ছবির লেখা, ছবিতে উল্লেখ করা অক্ষর-সেটের (character set) সঙ্গে মেলে না।",
            "মেশিনের character set ISO_IR 192 (UTF-8) করুন, অথবা মেশিন সত্যিই যেটিতে লেখে সেটি দিন।",
        ),
    },
    "charset_missing": {
        "en": Said(
            "Stored images hold letters beyond ASCII and name no character set.",
            "Set the character set of the machine to ISO_IR 192 (UTF-8), or type names in Latin letters.",
        ),
        "bn": Said(
            "জমা হওয়া ছবিতে ইংরেজির বাইরের অক্ষর আছে, কিন্তু কোনো অক্ষর-সেটের (character set) নাম দেওয়া নেই।",
            "মেশিনের character set ISO_IR 192 (UTF-8) করুন, অথবা নাম ইংরেজি অক্ষরে লিখুন।",
        ),
    },
    "charset_bangla": {
        "en": Said(
            "Stored images hold Bangla in UTF-8 but name the Latin character set ISO_IR 100, so names are unreadable.",
            "Set the character set of the machine to ISO_IR 192 (UTF-8).",
        ),
        "bn": Said(
            "জমা হওয়া ছবিতে বাংলা লেখা আছে UTF-8-এ, কিন্তু অক্ষর-সেট বলা হয়েছে ISO_IR 100 (লাতিন), তাই নাম পড়া যায় না।",
            "মেশিনের character set ISO_IR 192 (UTF-8) করুন।",
        ),
    },
    "clock_ahead": {
        "en": Said(
            "The clock of the machine is {minutes} minutes ahead of this server's.",
            "Set date, time and time zone of the machine (Bangladesh: UTC+6), best by a time server (NTP).",
            "Check the clock of this server if several machines are told the same.",
        ),
        "bn": Said(
            "মেশিনের ঘড়ি এই সার্ভারের ঘড়ির চেয়ে {minutes} মিনিট এগিয়ে আছে।",
            "মেশিনের তারিখ, সময় ও টাইম জোন (বাংলাদেশ: UTC+6) ঠিক করুন; টাইম সার্ভার (NTP) ব্যবহার করা সবচেয়ে ভালো।",
            "একাধিক মেশিনে একই কথা এলে এই সার্ভারের ঘড়ি মিলিয়ে দেখুন।",
        ),
    },
    "clock_behind": {
        "en": Said(
            "The clock of the machine is {minutes} minutes behind this server's.",
            "Set date, time and time zone of the machine (Bangladesh: UTC+6), best by a time server (NTP).",
            "Check the clock of this server if several machines are told the same.",
        ),
        "bn": Said(
            "মেশিনের ঘড়ি এই সার্ভারের ঘড়ির চেয়ে {minutes} মিনিট পিছিয়ে আছে।",
            "মেশিনের তারিখ, সময় ও টাইম জোন (বাংলাদেশ: UTC+6) ঠিক করুন; টাইম সার্ভার (NTP) ব্যবহার করা সবচেয়ে ভালো।",
            "একাধিক মেশিনে একই কথা এলে এই সার্ভারের ঘড়ি মিলিয়ে দেখুন।",
        ),
    },
    "unavailable": {
        "en": Said(
            "This service could not take the connection: it was stopping, or its database or disk was away.",
            "Nothing; the machine may try again.",
            "Run `radi doctor` on the server.",
        ),
        "bn": Said(
            "সার্ভিসটি সংযোগ নিতে পারেনি: এটি বন্ধ হচ্ছিল, অথবা ডেটাবেস বা ডিস্ক পাওয়া যাচ্ছিল না।",
            "কিছু করতে হবে না; মেশিন আবার চেষ্টা করতে পারে।",
            "সার্ভারে `radi doctor` চালান।",
        ),
    },
    "broken_off": {
        "en": Said(
            "The connection broke off before its end: {sentence}.",
            "Check the network cable, switch and firewall, and the machine's own log.",
        ),
        "bn": Said(
            "সংযোগটি শেষ হওয়ার আগেই ছিঁড়ে গেছে ({sentence})।",
            "নেটওয়ার্ক কেবল, সুইচ, ফায়ারওয়াল এবং মেশিনের নিজের লগ দেখুন।",
        ),
    },
}
"""By code. A code is a promise to scripts: it is never given another meaning."""
