"""The front desk of a small clinic: the agent that a new installation starts with.

It answers without a language model. A model of one's own would improve questions that no fact covers,
several questions in one breath, and small talk.
"""

from __future__ import annotations

from typing import Any

DEMO_SLUG = "front-desk"
DEMO_NAME = "Front desk"
DEMO_DESCRIPTION = "Answers for the Harbour Street Clinic: questions, messages, transfers."
DEMO_TRANSFER_NUMBER = "+14155550100"  # one of those that no telephone ever has
DEMO_GREETING = "Hello, this is the Harbour Street Clinic. How can I help you?"
DEMO_INSTRUCTIONS = """\
You are the receptionist of the Harbour Street Clinic, a small family practice by the harbour.
You are warm, calm and brief. You are an automated assistant, and say so when you are asked.
You never give medical advice. In an emergency you tell the caller to hang up and call the emergency services.
You cannot see the appointment book: to book, move or cancel an appointment, offer to take a message."""

_WEEKDAY = [["08:00", "18:00"]]

DEMO_FACTS: list[dict[str, Any]] = [
    {
        "topic": "Emergencies",
        "answer": (
            "If this is an emergency, please hang up now and call the emergency services. "
            "Or go straight to the nearest emergency department."
        ),
        "urgent": True,
        "questions": [
            "this is an emergency",
            "I have chest pain",
            "I can't breathe",
            "she is not breathing",
            "he is unconscious",
            "my husband collapsed",
            "I think I'm having a heart attack",
            "someone is having a stroke",
            "there is a lot of bleeding",
            "my baby swallowed something and is choking",
            "she is having a severe allergic reaction",
            "I took too many pills",
            "I want to kill myself",
            "I need an ambulance",
            "what do I do in an emergency",
            "my house is on fire",
            "there is a fire",
            "my wife is in labor",
            "there has been a car accident",
            "my child has a very high fever",
        ],
    },
    {
        "topic": "Opening hours",
        "answer": "We're closed on public holidays.",
        "hours": {
            "timezone": "America/Halifax",
            "week": {
                "monday": _WEEKDAY,
                "tuesday": _WEEKDAY,
                "wednesday": _WEEKDAY,
                "thursday": _WEEKDAY,
                "friday": [["08:00", "16:00"]],
                "saturday": [["09:00", "13:00"]],
                "sunday": [],
            },
            "closed_on": ["2026-12-25", "2026-12-26", "2027-01-01", "2027-12-25", "2027-12-26", "2028-01-01"],
        },
        "questions": [
            "when are you open",
            "what are your hours",
            "are you open now",
            "are you open today",
            "are you open on Saturday",
            "are you open tomorrow",
            "are you closed on Sunday",
            "what time do you open",
            "when do you close",
            "how late are you open",
            "do you work on weekends",
            "is the clinic open in the evening",
            "are you open on public holidays",
        ],
    },
    {
        "topic": "The address",
        "answer": (
            "We're at twelve Harbour Street, next to the library. The entrance is on the ground floor."
        ),
        "questions": [
            "where are you",
            "what's your address",
            "where is the clinic",
            "how do I find you",
            "how do I get there",
            "can you give me directions",
            "what street are you on",
            "is there a bus that stops near you",
        ],
    },
    {
        "topic": "Phone and e-mail",
        "answer": (
            "The number you've called is the best way to reach us. "
            "We don't answer medical questions by e-mail, so that your details stay private."
        ),
        "questions": [
            "what is your phone number",
            "what number can I call you on",
            "do you have an e-mail",
            "can I e-mail you",
            "can I send you an email",
            "how else can I contact you",
        ],
    },
    {
        "topic": "Parking",
        "answer": (
            "You can park free of charge behind the building, for up to two hours. "
            "The way in is from Mill Lane."
        ),
        "questions": [
            "where can I park",
            "is there parking",
            "do you have a car park",
            "is parking free",
            "do I have to pay for parking",
            "can I leave my car there",
        ],
    },
    {
        "topic": "Wheelchair access",
        "answer": "Yes, you can come in without steps, and there is a lift to the first floor.",
        "questions": [
            "is there wheelchair access",
            "are there any stairs",
            "do you have an elevator",
            "is the building accessible",
            "my mother can't walk very well",
        ],
    },
    {
        "topic": "The doctors",
        "answer": (
            "We have three doctors. Doctor Chen and Doctor Okafor are family doctors, "
            "and Doctor Lindqvist looks after children."
        ),
        "questions": [
            "which doctors do you have",
            "who are your doctors",
            "is there a pediatrician",
            "do you have a woman doctor",
            "do you have a doctor for children",
            "who works at the clinic",
            "what's the name of the doctor",
        ],
    },
    {
        "topic": "New patients",
        "answer": (
            "Yes, we're taking new patients. Please bring your health card and a list of your medicines "
            "to the first visit."
        ),
        "questions": [
            "are you taking new patients",
            "can I register with you",
            "how do I become a patient",
            "I'm new in town and need a family doctor",
            "I'd like to sign up as a patient",
            "what do I need to bring to my first visit",
        ],
    },
    {
        "topic": "Booking an appointment",
        "answer": ("I can't see the appointment book myself, but the team will call you back with a time."),
        "follow_up": "message",
        "questions": [
            "I'd like to make an appointment",
            "can I book an appointment",
            "I want to come in and see the doctor",
            "book me in for a visit",
            "I need to see a doctor",
            "when is the next free appointment",
            "do you have anything available this week",
            "can I come in tomorrow to see the doctor",
            "I want to schedule a check up",
        ],
    },
    {
        "topic": "Changing an appointment",
        "answer": (
            "I can't change appointments myself, but I'll pass it on and the team will take care of it."
        ),
        "follow_up": "message",
        "questions": [
            "I need to cancel my appointment",
            "can I move my appointment",
            "I'd like to reschedule",
            "I can't make it to my appointment",
            "I can't come to my appointment tomorrow",
            "something has come up and I can't come",
            "move my appointment to Friday",
            "can we change it to another day",
            "can you push back my appointment",
            "I have to postpone my appointment",
            "I'm running late for my appointment",
            "when is my appointment",
        ],
    },
    {
        "topic": "Prescriptions",
        "answer": (
            "For a repeat prescription, please give us two working days. "
            "You can collect it at the front desk, or we send it to your pharmacy."
        ),
        "follow_up": "message",
        "questions": [
            "I need a prescription refill",
            "can I renew my prescription",
            "I've run out of my pills",
            "I need more of my tablets",
            "how do I get my medication",
            "is my prescription ready",
            "can you send it to the pharmacy",
        ],
    },
    {
        "topic": "Test results",
        "answer": (
            "Most results are back within three working days. "
            "I'm not able to see them, but a nurse can call you about them."
        ),
        "follow_up": "message",
        "questions": [
            "are my test results back",
            "I'm calling about my blood test",
            "can I get my lab results",
            "when will I get my results",
            "what did the x ray show",
            "has the doctor got my test back",
            "what did the scan say",
            "how long do results take",
        ],
    },
    {
        "topic": "Prices",
        "answer": (
            "Without insurance a visit costs eighty dollars, and a longer check-up one hundred and fifty."
        ),
        "questions": [
            "how much does a visit cost",
            "what do you charge",
            "what are your prices",
            "how expensive is a check up",
            "how much is it without insurance",
            "is there a fee to see the doctor",
        ],
    },
    {
        "topic": "Insurance",
        "answer": (
            "We take the public health card and most private insurance. Please bring your card with you."
        ),
        "questions": [
            "do you take my insurance",
            "which insurance do you accept",
            "is it covered by insurance",
            "do you accept my plan",
            "are you in my insurer's network",
            "I don't have a health card",
            "do you bill the insurance directly",
        ],
    },
    {
        "topic": "Ways to pay",
        "answer": "You can pay by card or in cash at the front desk, on the day of your visit.",
        "questions": [
            "how can I pay",
            "do you take credit cards",
            "can I pay cash",
            "do you accept debit",
            "can I pay later",
            "can I pay in instalments",
        ],
    },
    {
        "topic": "Vaccinations",
        "answer": (
            "We give flu shots and travel vaccinations, on weekdays between nine and noon. "
            "No appointment is needed."
        ),
        "questions": [
            "do you give flu shots",
            "can I get a vaccination",
            "I need a shot against measles",
            "I need a booster shot",
            "I need travel vaccines",
            "do I need an appointment for a flu shot",
            "can my child get vaccinated",
            "do you do covid shots",
        ],
    },
    {
        "topic": "Blood tests",
        "answer": ("Blood is taken on weekday mornings from eight to ten. Please come without having eaten."),
        "questions": [
            "when can I come for a blood test",
            "do you take blood at the clinic",
            "where do I get my blood drawn",
            "do I have to fast before a blood test",
            "can I eat before my blood test",
        ],
    },
    {
        "topic": "Home visits",
        "answer": (
            "Our doctors make home visits on Wednesday afternoons, for patients who can't come to us."
        ),
        "questions": [
            "does the doctor make house calls",
            "can the doctor come to my home",
            "can someone come to our house",
            "do you do home visits",
            "I'm too ill to come in",
            "my father can't leave his bed",
        ],
    },
    {
        "topic": "Sick notes",
        "answer": "A doctor has to see you for a sick note. The team can call you back with a time.",
        "follow_up": "message",
        "questions": [
            "I need a sick note",
            "can I get a doctor's note for work",
            "I need a medical certificate",
            "my boss wants a note from the doctor",
            "can you write me a letter for school",
        ],
    },
    {
        "topic": "Referrals",
        "answer": (
            "For a specialist you need a referral from one of our doctors. A short visit is enough for that."
        ),
        "follow_up": "message",
        "questions": [
            "I need a referral",
            "can you refer me to a specialist",
            "I need to see a dermatologist",
            "how do I get to see a specialist",
            "please refer me to a surgeon",
            "has my referral been sent",
        ],
    },
    {
        "topic": "Help outside opening hours",
        "answer": (
            "When we're closed, the health line answers at eight one one, day and night. "
            "In an emergency, please call the emergency services."
        ),
        "questions": [
            "who can I call at night",
            "is there a doctor on call",
            "what do I do when you're closed",
            "is there an after hours number",
            "I need medical help on the weekend",
        ],
    },
]
