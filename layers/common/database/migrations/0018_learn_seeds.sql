-- migrate:up
-- The courses and starter decks there are from the start. Can be run again: they are content that administrators edit or
-- take off, so rows that exist are left alone. Their ids follow from their keys, so that what an account has done finds
-- its lesson in any installation.
SET LOCAL ROLE questlog_owner;

INSERT INTO learn_topics (id, key, name, description, category, icon, color, sort_order, is_built_in)
SELECT md5('learn_topic:' || s.key)::uuid, s.*, true
  FROM (VALUES
       ('productivity', 'Productivity',
        'Get the right things done: attention, planning, and an end to the working day.',
        'theory', 'target', '#2563eb', 1),
       ('habits', 'Habits',
        'How actions become automatic, how to begin one, and what to do when it breaks.',
        'theory', 'repeat', '#16a34a', 2),
       ('fitness_basics', 'Fitness basics',
        'What makes a body stronger: load, effort, and the rest in between.',
        'theory', 'dumbbell', '#dc2626', 3),
       ('mindfulness', 'Mindfulness',
        'Exercises for attention that need nothing but a few minutes and a place to sit.',
        'practice', 'leaf', '#0d9488', 4),
       ('music_theory', 'Music theory',
        'Notes, intervals, scales and chords, from the ground up.',
        'theory', 'music', '#9333ea', 5)
       ) AS s (key, name, description, category, icon, color, sort_order)
ON CONFLICT (key) DO NOTHING;

INSERT INTO learn_lessons (
    id, topic_id, key, title, description, duration_minutes, difficulty, sort_order, content_markdown, quiz_json,
    is_built_in)
SELECT md5('learn_lesson:' || s.key)::uuid, md5('learn_topic:' || s.topic)::uuid, s.key, s.title, s.description, s.minutes,
       s.difficulty, s.place, s.content, s.quiz::jsonb, true
  FROM (VALUES
('productivity', 'one_thing_at_a_time', 'One thing at a time',
 'Why two tasks at once take longer than one after the other.', 6, 'beginner', 1,
$text$## The hidden price of switching

Nobody writes a letter and holds a conversation at the same moment. What feels like doing both is switching between them, and each switch has a price. You have to put away what you were thinking, fetch the other thing, and remember where you stopped. Most of that work happens unnoticed, which is why it is so easy to underestimate.

The price is highest for work that needs many things in mind at once: a calculation, a paragraph, a plan. A glance at a message takes ten seconds, but the thought it scattered may take minutes to gather again. Four such glances in an hour, and the hour is gone without anything finished.

## What stays behind

Even after you have turned to the next task, a part of your attention remains with the last one. It is strongest when the earlier task was left open: an argument not settled, a question not answered. This is a good reason to bring things to a small close before you leave them. Write one line about what comes next. The line remembers, so you do not have to.

## Three ways to switch less

1. **Choose before you start.** Name the one thing you will work on, and how you will know that this part of it is done.
2. **Collect instead of following.** When another idea arrives, write it on a list beside you and go on. It is safe there, and most ideas look smaller an hour later.
3. **Group what is alike.** Answer messages in two or three fixed portions of the day. One long visit costs one switch; twenty short ones cost twenty.

## Try it

Take a timer, 25 minutes, and a single task. Put the telephone in another room, since a silent one on the desk still asks to be looked at. Each time you notice that you want to switch, make a mark on paper and carry on. The marks are not failures. They show how often the wish comes, and that it passes by itself.
$text$,
$quiz${"questions": [
  {"id": "switching", "multiple": false, "right": [1],
   "prompt": "What happens when you try to do two demanding tasks at once?",
   "options": ["Both are done at full quality, only slower",
               "The brain switches between them and pays for each switch",
               "The easier task is done without any attention",
               "The harder task is done first"],
   "explanation": "Demanding tasks share the same attention. What looks like both at once is a quick alternation, and each turn costs time."},
  {"id": "residue", "multiple": false, "right": [2],
   "prompt": "When does most attention stay behind with the last task?",
   "options": ["When it was boring",
               "When it was short",
               "When it was left open",
               "When it was done in the morning"],
   "explanation": "An open question keeps asking. Bringing it to a small close, or writing down the next step, lets go of it."},
  {"id": "reduce", "multiple": true, "right": [0, 2],
   "prompt": "Which of these mean fewer switches? Choose all that do.",
   "options": ["Answering messages in two fixed portions",
               "Keeping the telephone face up on the desk",
               "Writing a new idea on a list and going on",
               "Opening each message when it arrives"],
   "explanation": "Grouping and collecting both keep you with one task. A telephone in sight and messages as they come do the opposite."},
  {"id": "marks", "multiple": false, "right": [3],
   "prompt": "In the exercise, what do the marks on paper count?",
   "options": ["Finished pages",
               "Minutes of work",
               "Mistakes",
               "Wishes to switch"],
   "explanation": "Each mark is a wish to switch that you noticed and let pass."}]}$quiz$),
('productivity', 'plan_the_day', 'A plan that fits the day',
 'Plan for the hours you have, not for the ones you wish for.', 7, 'beginner', 2,
$text$## Why plans fail by noon

Most daily plans are lists of wishes. They hold everything that would be good to do, and nothing about when. At noon, when half of the list is untouched, it stops being a plan and becomes a reproach. The mistake is rarely laziness. It is arithmetic: eight hours of tasks were put into a day with three free hours.

## Count the hours first

Begin with what is fixed: meetings, meals, the way home, the children's bedtime. What is left over is your real day. Take a third of it away, because something will come up; it does on most days, so it is no surprise but a cost you can know in advance. Now you have the time you may promise to yourself.

## Estimate from the past

People are poor at guessing how long a task will take and good at remembering how long the last one took. So do not ask "how long should this take?" but "how long did the last one like it take?" If the last report took four hours, this one will too, however clear it seems this morning.

## Three that matter

Choose three results that would make this a good day, and give the first of them your best hour. Everything else goes on a second list that you may touch when the three are done. A result is something you can point at: "the first two pages are written" and not "work on the report".

## Leave the evening a note

Five minutes before you stop, look at what happened. Move what is still worth doing, delete what is not, and write down where to begin tomorrow. Two things come of it: the next morning starts without a search, and the mind is readier to let go of the day.

## Try it

Tonight, write down tomorrow's fixed times, subtract, take off a third, and choose three results that fit. In the evening compare. After a week of this you will know your own numbers better than any method does.
$text$,
$quiz${"questions": [
  {"id": "first", "multiple": false, "right": [0],
   "prompt": "What should be counted first when planning a day?",
   "options": ["The hours that are already taken",
               "All the tasks that wait",
               "The hours you slept",
               "The tasks of the day before"],
   "explanation": "What is fixed decides how much is free. Only then does it make sense to look at tasks."},
  {"id": "buffer", "multiple": false, "right": [2],
   "prompt": "Why take a third off the free time?",
   "options": ["To rest before lunch",
               "Because tasks become quicker with practice",
               "Because something unplanned comes up on most days",
               "To have time for messages at night"],
   "explanation": "What happens on most days is a cost that can be known in advance."},
  {"id": "estimate", "multiple": false, "right": [3],
   "prompt": "Which question gives the better estimate?",
   "options": ["How long should it take?",
               "How long would it take an expert?",
               "How much time is left today?",
               "How long did the last one like it take?"],
   "explanation": "Memory of a real case includes the trouble that a guess leaves out."},
  {"id": "result", "multiple": false, "right": [1],
   "prompt": "Which of these is a result in the sense of the lesson?",
   "options": ["Work on the report",
               "The first two pages are written",
               "Be more careful",
               "Think about the holiday"],
   "explanation": "A result can be pointed at when it is there."}]}$quiz$),
('productivity', 'deep_work_blocks', 'Protecting long blocks of attention',
 'How to get two undisturbed hours, and what to do with them.', 9, 'intermediate', 3,
$text$## Some work has a long run-up

There is work you can do between two meetings: approving, sorting, replying. And there is work that only begins after half an hour: writing something difficult, finding a fault, learning a new field. For the second kind ten pieces of fifteen minutes are not the same as one piece of two and a half hours. Every piece pays for the run-up, and most end before the flight begins.

## Make the block before you need it

A free morning does not stay free by itself. Put the block into the calendar as an appointment, at the same time each day if you can. A fixed time spares you a decision, and the people around you learn when you can be reached and when you cannot. Start with one block of ninety minutes; more than four hours a day of such work is rare, even for those who do it for a living.

## Decide what the block is for

A block without a purpose fills up with small things. Write one sentence the evening before: *"Tomorrow at nine I will rewrite the second chapter."* Put what you need on the desk, and close what you do not need. The first minute should ask for no decision at all.

## Doors, real and imagined

Interruptions from outside need a visible sign: a closed door, headphones, a status that says when you are back. Say the time, because "not now" invites a second attempt in five minutes. Interruptions from within are harder, and more frequent. They come exactly when the work becomes difficult. Treat the wish to look something up as news about the work: *this is the hard place*. Stay there two more minutes before you allow yourself anything else.

## Ending well

Stop at the planned time, while you still know how it goes on. Note the next step in half a sentence. Then take a real break, without a screen: walking, washing up, looking out of the window. Attention recovers when nothing asks for it.

## Try it

Choose one block for this week, ninety minutes long. Tell one person when you will not be reachable. Afterwards, write down what disturbed you. The list is your programme for the next block.
$text$,
$quiz${"questions": [
  {"id": "runup", "multiple": false, "right": [3],
   "prompt": "Why are ten short pieces not as good as one long block for difficult work?",
   "options": ["Short pieces are too tiring",
               "People work faster in the afternoon",
               "Breaks between them cannot be enjoyed",
               "Each piece pays for the run-up again"],
   "explanation": "Work with a long run-up has to begin anew in each piece, and short pieces end before it gets going."},
  {"id": "hours", "multiple": false, "right": [0],
   "prompt": "How much of such work a day is realistic for most people?",
   "options": ["At most about four hours",
               "Eight hours with enough coffee",
               "Ten hours, twice a week",
               "Less than ten minutes"],
   "explanation": "More than four hours of deep work a day is rare even for those who do it for a living."},
  {"id": "outside", "multiple": true, "right": [1, 2],
   "prompt": "What should you tell people who might interrupt you? Choose all that the lesson asks for.",
   "options": ["That their matter is unimportant",
               "When you can be reached again",
               "A sign that shows you are busy",
               "Every detail of your task"],
   "explanation": "A visible sign and a time keep the second attempt away. Explanations are not needed."},
  {"id": "within", "multiple": false, "right": [1],
   "prompt": "When do interruptions from within come most?",
   "options": ["Just before lunch",
               "When the work becomes difficult",
               "While you take a break",
               "When somebody enters"],
   "explanation": "The wish to do something else is strongest where the work is hard; it marks the place to stay with."},
  {"id": "ending", "multiple": false, "right": [2],
   "prompt": "What is a good way to end a block?",
   "options": ["Go on until you are exhausted",
               "Answer messages at once",
               "Note the next step and take a break without a screen",
               "Begin another difficult task"],
   "explanation": "The note makes the next beginning easy, and attention recovers when nothing asks for it."}]}$quiz$),
('habits', 'how_habits_form', 'How a habit forms',
 'Cue, action, reward: what has to come together, and how long it takes.', 7, 'beginner', 1,
$text$## From decision to reflex

The first time you do something, you decide it. The hundredth time, something else has taken over: you enter the kitchen, and your hand is already on the switch of the kettle. A habit is an action that a situation starts, without a decision in between. That makes it cheap. It costs hardly any will, and it also runs on days when you have none to spare.

## Three parts

**The cue** is what starts it: a place, a time, a feeling, or the end of another action. Good cues are things that happen anyway. "After I have brushed my teeth" comes every evening; "when I find time" never does.

**The action** is what you do. The simpler it is, the sooner it becomes automatic. Drinking a glass of water is learned in weeks; a workout with six exercises takes much longer.

**The reward** is what tells the brain that this was worth remembering. It works best when it follows at once. Health in ten years is a fine reason, but a poor reward. A tick on a list, a warm shower, a moment of pride do their work in the same minute.

## How long it takes

You will have heard of 21 days. In studies of everyday habits the time differs widely, from a few weeks to most of a year, and two months are a fair middle. The curve is steep at first: the early repetitions bring the most. After that it flattens, and one more day matters less. So does one missed day. A single gap hardly shows in the curve; only a row of gaps does.

## Repetition in the same place

It is the pairing of cue and action that is learned, not the action by itself. Doing it daily in the same setting is therefore worth more than doing it often but everywhere. When you move house or change jobs, old cues fall away. That is why habits break then, and why it is a good moment to plant new ones.

## Try it

Write one sentence: *After I* … *I will* … Choose a cue that happened every day of the past week, and an action of less than two minutes.
$text$,
$quiz${"questions": [
  {"id": "definition", "multiple": false, "right": [1],
   "prompt": "What makes an action a habit?",
   "options": ["It is good for you",
               "A situation starts it without a decision",
               "It is done every day at the same hour",
               "You have planned it for at least a month"],
   "explanation": "A habit is started by its situation. Whether it is good, and how often it runs, is another matter."},
  {"id": "cue", "multiple": false, "right": [2],
   "prompt": "Which is the best cue?",
   "options": ["When I find time",
               "When I feel motivated",
               "After I have brushed my teeth",
               "Some time this week"],
   "explanation": "A cue has to happen by itself, and reliably."},
  {"id": "reward", "multiple": false, "right": [0],
   "prompt": "Why is better health in ten years a poor reward for a new habit?",
   "options": ["It does not follow at once",
               "It is not really desirable",
               "It cannot be measured",
               "Others do not notice it"],
   "explanation": "The brain links what comes right after the action. A good reason is still a good reason, but it does not teach."},
  {"id": "gap", "multiple": false, "right": [3],
   "prompt": "What does a single missed day do?",
   "options": ["It sets you back to the start",
               "It doubles the time that is needed",
               "It shows that the habit was wrong",
               "Hardly anything"],
   "explanation": "One gap is hardly visible in the curve of learning. A row of gaps is."}]}$quiz$),
('habits', 'start_small', 'Begin smaller than you want to',
 'Why two minutes beat an hour, at least at the beginning.', 6, 'beginner', 2,
$text$## The plan of a good day

Plans for new habits are made on good days. You are rested, the reasons are fresh, and an hour of running before breakfast looks quite possible. But the plan has to be kept on the bad days: after a short night, in the rain, with a sick child. A habit is as strong as its worst day, so build it for that one.

## Two minutes

Make the first version so small that it would be odd to refuse: one page, one push-up, one sentence in a foreign language, shoes on and out of the door. It sounds too little to matter. For the result it is, and for the habit it is not, because what you train at first is not the muscle or the vocabulary. It is *beginning*. Beginning is the part that fails.

On most days you will do more once you have started, and you may. Still, the page counts as done after one page. If the target creeps up with each good day, you are soon back at the plan that breaks in the rain.

## Let it grow by itself

Raise the amount only when the small version has become dull: when you no longer think about whether, only about what. Then add a little, a few minutes rather than a doubling, and keep the old minimum as a fallback. On a bad day the minimum still counts. It keeps the pairing of cue and action alive, and it keeps your word to yourself.

## Make the way short

Every step between you and the action is a chance to turn around. Put the book on the pillow. Fill the bottle in the evening. Sleep in your running shirt if it helps. The other direction works too: what you want to do less should have steps in front of it. Log out, put it on the top shelf, leave the charger in the hall.

## Try it

Take the habit you have failed at most often and write down its two-minute version. Then remove one obstacle from its way, today, before you close this page.
$text$,
$quiz${"questions": [
  {"id": "design", "multiple": false, "right": [2],
   "prompt": "For which day should a new habit be designed?",
   "options": ["The first day",
               "A day off",
               "A day on which everything goes wrong",
               "The day you feel strongest"],
   "explanation": "A habit is kept or lost on bad days, so it has to fit into one."},
  {"id": "train", "multiple": false, "right": [0],
   "prompt": "What does the two-minute version train above all?",
   "options": ["Beginning",
               "Endurance",
               "Knowledge",
               "Strength"],
   "explanation": "Beginning is the part that fails, and two minutes are enough to practise it."},
  {"id": "raise", "multiple": false, "right": [3],
   "prompt": "When should you raise the amount?",
   "options": ["After one good day",
               "When others do more",
               "After a missed day, to make up for it",
               "When the small version has become dull"],
   "explanation": "Once you no longer think about whether, there is room for more."},
  {"id": "friction", "multiple": true, "right": [0, 1],
   "prompt": "Which of these make a wanted action easier? Choose all.",
   "options": ["Putting the book on the pillow",
               "Filling the bottle the evening before",
               "Setting a higher target",
               "Leaving the charger in the hall"],
   "explanation": "The first two shorten the way. A higher target lengthens it, and the charger in the hall is for what you want to do less."}]}$quiz$),
('habits', 'when_habits_break', 'When a habit breaks',
 'Gaps happen. What decides is how you come back.', 8, 'advanced', 3,
$text$## Lapse and collapse

You miss a day. Nothing is lost by that: the connection you have practised does not vanish overnight. What happens next is the dangerous part. Many people think, *now it does not matter any more*, and the missed day becomes a missed week. Psychologists found this pattern among people on a diet, who ate most after they had already eaten a little too much. The first slip was small. The judgement about it was not.

So keep two things apart. A **lapse** is an event: yesterday I did not run. A **collapse** is a story about the event: I am someone who never keeps anything up. You can only do something about the first.

## Never twice in a row

A simple rule helps: miss once, but not twice. It allows the bad day and guards the day after it. On that day do the smallest version there is. It need not be good. It has to be the turning point.

## Ask the cue, not the character

When a habit fails again and again, look at the machinery. Was there a cue? Did it really happen, at the place where you could act? Was the action small enough for such a day? Did anything follow that felt good? In most cases one of the three parts is missing, and that can be mended. "More discipline" cannot be mended, since it is nothing you can take hold of.

## Plan for the predictable gaps

Travel, illness, visitors: these are not exceptions, they are known in advance. Write an *if–then* sentence for each. *If I am in a hotel, then I do five minutes on the floor before I shower.* Such sentences work because the decision is made beforehand, and the situation only has to call it up.

Sometimes the right plan is a pause. A pause that you announce to yourself, with a date on which it ends, is no lapse. It spares you the story.

## When to let go

Not every habit deserves to be rescued. If you have asked the cue, made it small, and it still feels like somebody else's wish, then perhaps it is. Dropping it on purpose makes room for one that is yours.

## Try it

Think of the last habit that faded. Which of the three parts was missing? Write an *if–then* sentence for the situation in which it broke.
$text$,
$quiz${"questions": [
  {"id": "collapse", "multiple": false, "right": [0],
   "prompt": "What turns one missed day into a missed week most often?",
   "options": ["The judgement that it does not matter any more",
               "The loss of the connection overnight",
               "A lack of reminders",
               "Too small a target"],
   "explanation": "The day itself costs little. The story about it does the harm."},
  {"id": "rule", "multiple": false, "right": [2],
   "prompt": "What does the rule \"never twice in a row\" ask of you after a missed day?",
   "options": ["Do double the amount",
               "Begin again on Monday",
               "Do the smallest version",
               "Think about the reasons first"],
   "explanation": "The day after needs a turning point, however small."},
  {"id": "machinery", "multiple": true, "right": [0, 2, 3],
   "prompt": "Which questions does the lesson ask of a habit that keeps failing? Choose all.",
   "options": ["Did the cue really happen?",
               "Am I disciplined enough?",
               "Did something follow that felt good?",
               "Was the action small enough?"],
   "explanation": "Cue, action and reward can be mended. Discipline is nothing you can take hold of."},
  {"id": "ifthen", "multiple": false, "right": [1],
   "prompt": "Why do if–then sentences work?",
   "options": ["They frighten you into acting",
               "The decision is made before the situation comes",
               "They have to be repeated every morning",
               "They make the reward larger"],
   "explanation": "In the situation itself nothing has to be decided any more."},
  {"id": "pause", "multiple": false, "right": [3],
   "prompt": "What tells a pause from a lapse?",
   "options": ["Its length",
               "Whether others know about it",
               "How it feels",
               "It is announced, and has an end"],
   "explanation": "A pause is decided beforehand, with the date on which it ends."}]}$quiz$),
('fitness_basics', 'progressive_overload', 'A little more each time',
 'The one principle that all training for strength has in common.', 7, 'beginner', 1,
$text$## Why a body gets stronger

A muscle that has to do more than it is used to answers by becoming able to. That is all of it: a demand, some rest, and a body that is a little better prepared than before. If the demand stays the same, so does the body. Whoever lifts the same weight for the same repetitions all year keeps what they have, which is worth something, but they do not gain.

Training that goes on making progress therefore asks for more, in small portions. This is called **progressive overload**.

## More of what?

Weight is the obvious screw, but not the only one.

- **More repetitions** with the same weight: nine instead of eight.
- **More weight** for the same repetitions, often the smallest plate there is.
- **More sets** of an exercise in a week.
- **Better execution**: deeper, slower, without swing. The number on the bar is unchanged, and the muscle does more.

Change one of them at a time. If you change everything at once, you will not know what helped, or what hurt.

## A simple way to do it

Choose a range, say eight to twelve repetitions, and a weight with which you manage eight. Stay with it until all sets reach twelve. Then take the next heavier weight, with which you will be back at eight or nine, and climb again. This is called double progression, and it needs no calculator: the log of the last session tells you what to beat today.

## Small steps, long road

Beginners can add something almost every session, for a few months. Later it takes weeks, and that is no fault of yours. The stronger you are, the less is left to win, and the more each step costs. Two and a half kilograms a month on the squat are thirty in a year.

Go back when you must. After an illness or a long break take about a tenth off, or more, and let two weeks bring it back. Strength returns faster than it came.

## Try it

Write down, for one exercise, weight and repetitions of today. Next time, beat exactly one of the two numbers by the smallest step there is.
$text$,
$quiz${"questions": [
  {"id": "principle", "multiple": false, "right": [1],
   "prompt": "What happens if the demand stays the same for a year?",
   "options": ["Strength falls to where it was before",
               "Strength is kept, but hardly grows",
               "Strength grows at the same rate",
               "The muscle becomes exhausted"],
   "explanation": "The body adapts to what is asked of it, and no further."},
  {"id": "screws", "multiple": true, "right": [0, 1, 3],
   "prompt": "Which of these are ways to overload? Choose all.",
   "options": ["One repetition more",
               "A deeper, slower movement",
               "Changing the exercise every session",
               "One set more a week"],
   "explanation": "More repetitions, more sets and better execution all ask more of the muscle. Constant change leaves nothing to compare."},
  {"id": "double", "multiple": false, "right": [2],
   "prompt": "In double progression with 8 to 12 repetitions, when do you take more weight?",
   "options": ["When you reach 8",
               "Every second week",
               "When all sets reach 12",
               "When the weight feels light in warm-up"],
   "explanation": "You climb to the top of the range first, and then begin again at its bottom with more weight."},
  {"id": "stall", "multiple": false, "right": [0],
   "prompt": "Why does progress slow down after some months?",
   "options": ["Less is left to win, and each step costs more",
               "The muscles get used to resting",
               "The weights become inaccurate",
               "Beginners train harder"],
   "explanation": "It is the normal course, and no sign that something is wrong."}]}$quiz$),
('fitness_basics', 'sets_reps_effort', 'Sets, repetitions and effort',
 'What the numbers in a training plan mean, and how hard a set should be.', 8, 'intermediate', 2,
$text$## Reading a plan

*3 × 8 at RPE 8, rest 2 min.* In words: three sets of eight repetitions, each hard enough that two more would have been possible, with two minutes between them. A **repetition** is one full movement, a **set** is a row of them without a pause. The third part is the one that most people leave out, and it decides what the other two are worth.

## Effort is the missing number

Eight repetitions can be a warm-up or the hardest thing you do all week. The difference is how many you had left. There are two common scales for it, and they are the same scale seen from two ends.

- **Repetitions in reserve** (RIR) count what was left: RIR 2 means that two more would have gone.
- **Rate of perceived exertion** (RPE) goes up to 10, where nothing was left: RPE 8 is RIR 2, RPE 9 is RIR 1.

Most people think they are closer to the limit than they are. Every few weeks, on an exercise where it is safe, go on until a repetition really does not go. Afterwards your estimates will be honest again.

## How many, how hard

For muscle growth a wide range works, from about five to thirty repetitions, as long as the set ends near the limit: with roughly three or fewer in reserve. For maximal strength the weights have to be heavy, so the repetitions are few, one to five or six. Beginners grow on almost anything, and do well to stay two or three repetitions away from failure until the technique is firm.

As for sets, ten or so per muscle and week are a sound middle. Fewer still help a good deal; many more help a little, and have to be recovered from.

## Rest between sets

Take as long as it needs for the next set to be a good one. Heavy exercises for the whole body want two to four minutes, small ones one to two. Short rests make training feel harder, but if they cost you repetitions, they cost you the point.

## Try it

In your next session write the reserve beside each set. After the last set of one exercise, try for as many as there are. Compare the number with what you had written.
$text$,
$quiz${"questions": [
  {"id": "rpe", "multiple": false, "right": [3],
   "prompt": "A set ends at RPE 8. How many more repetitions would have been possible?",
   "options": ["None",
               "One",
               "Eight",
               "Two"],
   "explanation": "RPE 10 leaves none, 9 leaves one, 8 leaves two."},
  {"id": "reserve", "multiple": false, "right": [0],
   "prompt": "What do most people get wrong about their reserve?",
   "options": ["They think they are nearer the limit than they are",
               "They count the warm-up",
               "They stop too late",
               "They confuse sets and repetitions"],
   "explanation": "An honest set to the limit now and then corrects the estimate."},
  {"id": "growth", "multiple": false, "right": [2],
   "prompt": "What do sets of 6 and sets of 25 need to have in common to make a muscle grow?",
   "options": ["The same weight",
               "The same duration",
               "They end near the limit",
               "They are done on the same day"],
   "explanation": "The range is wide; closeness to the limit is what both need."},
  {"id": "strength", "multiple": false, "right": [1],
   "prompt": "Which sets fit the aim of maximal strength?",
   "options": ["30 light repetitions",
               "3 heavy repetitions",
               "15 medium repetitions",
               "As many as possible without weight"],
   "explanation": "Maximal strength is practised with heavy weights, so the repetitions are few."},
  {"id": "rest", "multiple": false, "right": [3],
   "prompt": "How long should you rest between heavy sets?",
   "options": ["Exactly 30 seconds",
               "Until sweating stops",
               "As short as you can bear",
               "Until the next set can be a good one, often 2 to 4 minutes"],
   "explanation": "A rest that costs repetitions takes away what the set is for."}]}$quiz$),
('fitness_basics', 'rest_and_recovery', 'You grow while you rest',
 'Sleep, days off and lighter weeks, and why they are part of the training.', 7, 'beginner', 3,
$text$## Training is only the question

A hard session leaves you weaker than you were. For a day or two muscles are sore, stores are empty, and the same weight feels heavier. The answer comes afterwards: the body repairs what was strained, and repairs it a little better than before. Training asks the question, and recovery answers it. Ask again too early, and the answer is interrupted.

## Sleep first

No powder and no ice bath comes near to what sleep does. Much of the repair runs at night, and so does the learning of movements. Seven to nine hours suit most adults. If you have to choose between a sixth session and an hour of sleep on five nights, take the sleep.

Two things help more than they seem: getting up at the same time each day, and an evening that becomes darker and duller towards its end.

## Days between

A muscle that was trained hard wants about two days before the next hard session. That is why plans divide the body: legs on Monday, upper body on Tuesday, and legs again on Thursday. A day off need not be a day on the sofa. A walk, an easy ride, some stretching move the blood without asking anything.

Soreness is a poor guide. It tells that something was unfamiliar, and not that it was good. After some weeks with the same exercises it fades, and the training works all the same.

## The lighter week

Fatigue piles up over weeks, more slowly than strength, and hides it. Every four to eight weeks, do a **deload**: the same exercises with half of the sets, or with clearly less weight. It feels like too little, and that is the intention. Many people find that in the week after it the weights have become lighter.

## Eat enough

Building takes material. Something with protein at each meal, about one and a half grams per kilogram of body weight over the day, covers what most people need. More than two brings little.

## Try it

For one week, note bedtime, the time you got up, and how the session went. Look for the pattern before you change the plan.
$text$,
$quiz${"questions": [
  {"id": "when", "multiple": false, "right": [2],
   "prompt": "When does a muscle become stronger?",
   "options": ["During the last repetition",
               "While warming up",
               "In the recovery after training",
               "While it is sore, and only then"],
   "explanation": "Training strains it; the repair afterwards makes it stronger."},
  {"id": "soreness", "multiple": false, "right": [0],
   "prompt": "What does soreness tell you?",
   "options": ["That something was unfamiliar",
               "That the muscle has grown",
               "That the session was too short",
               "That you should train it again at once"],
   "explanation": "It comes with what is new, and fades with practice, while the training goes on working."},
  {"id": "deload", "multiple": false, "right": [3],
   "prompt": "What is a deload?",
   "options": ["A week without food",
               "A test of the heaviest weight",
               "A session twice as long",
               "A planned week with fewer sets or less weight"],
   "explanation": "It lets the fatigue fall that had piled up and hidden the strength."},
  {"id": "choice", "multiple": false, "right": [1],
   "prompt": "Five nights with an hour more sleep, or a sixth session in the week: which does the lesson advise?",
   "options": ["The session",
               "The sleep",
               "Both by halves",
               "Neither"],
   "explanation": "Most of the repair happens in sleep, and no further session makes up for it."}]}$quiz$),
('mindfulness', 'breathing_basics', 'Breathing on purpose',
 'Three short exercises with the breath, for rest and for wakefulness.', 5, 'beginner', 1,
$text$## The one lever

Heartbeat, digestion and blood pressure look after themselves. Breathing does too, but you can take it over at any moment. That makes it a lever: when the breath becomes slower and longer on the way out, the heart follows, and with it the rest of the body. You need no equipment for it, and nobody in the room has to notice.

## Before you begin

Sit so that the back is upright without effort, with both feet on the floor. Put one hand on the belly. Breathe in through the nose and let the hand move; the shoulders stay where they are. If you become dizzy, you are breathing too much. Let it go back to normal, and try again more softly.

## Exercise one: the long way out

Breathe in while you count to four, and out while you count to six or eight. Do not press the air out, but let it run, as through a thin straw. Ten breaths take about two minutes. This is the exercise for the evening, and for the moment before an answer you might regret.

## Exercise two: the square

In for four, hold for four, out for four, hold for four. Imagine walking along the sides of a square. The pauses give the mind something to do, so this one is good when thoughts are loud. Four rounds are enough. Leave out the holding if it is unpleasant, or if you are pregnant or have trouble with heart or blood pressure.

## Exercise three: counting to ten

Now change nothing. Let the breath come as it likes, and count each breath out: one, two, up to ten, and then from one again. Sooner or later you will find yourself at fourteen, or in the middle of a shopping list. Start again at one. Noticing that you were away *is* the exercise; it is the repetition that makes the muscle grow.

## Try it

Choose one of the three and tie it to something that happens anyway: waiting for the kettle, sitting down at the desk, switching off the light. Two minutes every day do more than half an hour on Sunday.
$text$,
$quiz${"questions": [
  {"id": "lever", "multiple": false, "right": [0],
   "prompt": "Why is breathing called a lever here?",
   "options": ["It runs by itself, and can also be taken over",
               "It is stronger than the heart",
               "It stops when you do not attend to it",
               "It works only when you are lying down"],
   "explanation": "Through the breath you reach what you cannot steer directly, such as the heartbeat."},
  {"id": "evening", "multiple": false, "right": [3],
   "prompt": "Which pattern calms?",
   "options": ["In quickly, out quickly",
               "In long, out short",
               "Holding as long as possible",
               "In for four, out for six or eight"],
   "explanation": "The long way out slows the heart."},
  {"id": "dizzy", "multiple": false, "right": [1],
   "prompt": "What should you do if you become dizzy?",
   "options": ["Breathe deeper",
               "Let the breath go back to normal, and start again more softly",
               "Hold your breath",
               "Finish the exercise quickly"],
   "explanation": "Dizziness is a sign of breathing too much."},
  {"id": "lost", "multiple": false, "right": [2],
   "prompt": "You notice that you lost count. What now?",
   "options": ["The exercise has failed",
               "Go on with the number you guess",
               "Start again at one; noticing is the exercise",
               "Count backwards from ten"],
   "explanation": "Each time you notice and come back, you have done one repetition."}]}$quiz$),
('mindfulness', 'body_scan', 'A walk through the body',
 'The body scan: a guided tour with your attention, from the feet to the head.', 10, 'intermediate', 2,
$text$## What it is for

Attention spends most of its day in the future and among other people. The body scan brings it back to a place that is always the present. You visit one part of the body after the other and feel what is there. Nothing has to be changed, and nothing has to be relaxed. That some of it lets go along the way is a welcome side effect.

## Preparation

Lie on your back, on the bed or a mat, with the arms beside you. If you fall asleep easily, sit instead. Set a timer to ten minutes, so that you need not look at the clock. Let three breaths go by.

## The tour

Begin with the toes of the **left foot**. What do you feel: warmth, cloth, tingling, nothing at all? *Nothing* is an answer too. Stay for two or three breaths, and go on: sole, ankle, lower leg, knee, thigh. Then leave the leg and visit the **right** one in the same way.

Go on to the **pelvis**, the **belly**, which rises and falls, and the **chest**. Feel the back from below, where it touches the ground and where it does not. Then the **hands**: finger by finger, since there is much to feel there. The forearms, the upper arms, the **shoulders**, which are often higher than they need to be.

Last, the **neck** and the **face**: jaw, tongue, the corners of the eyes, forehead. Finish with the whole body at once, breathing.

## What comes up

*Thoughts.* They will. When you notice one, say to yourself "thinking", and go back to the part where you were. If you no longer know it, take the knee.

*Discomfort.* An itch or a tight muscle may be looked at before you act: where exactly is it, does it change, does it have an edge? If it becomes too much, move, and take the movement into the exercise.

*Boredom.* It is a feeling like any other. Where in the body does it sit?

## Try it

Do the whole tour three times this week, and a short one on the other days: feet, hands, face, one breath each. It fits into the time before a meeting begins.
$text$,
$quiz${"questions": [
  {"id": "aim", "multiple": false, "right": [1],
   "prompt": "What is the task in a body scan?",
   "options": ["To relax every muscle",
               "To feel what is there, without changing it",
               "To fall asleep",
               "To find out what is ill"],
   "explanation": "Letting go often comes by itself. It is not the task."},
  {"id": "nothing", "multiple": false, "right": [2],
   "prompt": "You feel nothing at all in your left foot. What does that mean for the exercise?",
   "options": ["You should move it until you do",
               "Skip the leg",
               "\"Nothing\" is an answer too; go on",
               "Begin again at the head"],
   "explanation": "There is no right sensation."},
  {"id": "thinking", "multiple": false, "right": [0],
   "prompt": "What helps when you notice that you have been thinking?",
   "options": ["Name it, and go back to the part where you were",
               "Follow the thought to its end",
               "Stop and try tomorrow",
               "Hold your breath"],
   "explanation": "A short name closes the matter without an argument."},
  {"id": "itch", "multiple": false, "right": [3],
   "prompt": "How does the lesson treat an itch?",
   "options": ["Scratch at once",
               "Endure it at any price",
               "Ignore it",
               "Look at it first; if it becomes too much, move"],
   "explanation": "Looking comes first, and moving is allowed."}]}$quiz$),
('mindfulness', 'noticing_thoughts', 'Watching thoughts go by',
 'How to notice a thought as a thought, and to leave it be.', 9, 'advanced', 3,
$text$## Thoughts are events

*I will never manage this.* When such a sentence appears, it feels like information about the world. Looked at closely, it is an event in the mind: it came, it lasts a moment, and it will go, like a sound from the street. The content may be true or not. That it is a thought is certain.

This small distance is what the exercise is about. It does not make thoughts go away, and it does not replace them with nicer ones. It changes where you stand.

## Naming

Sit upright and let the breath run by itself. Wait for the next thought. When it comes, give it a name of one word: *planning, remembering, worrying, judging, imagining*. Say the word inwardly, as calmly as you would read a label, and return to the breath. You do not need the right name. Any name does what it should, because whoever names something stands beside it.

Some names will come more often than others. That is interesting, and no reproach.

## A longer handle

For thoughts that pull hard, put a handle on them: *I am having the thought that* I will never manage this. And once more: *I notice that I am having the thought that* … Read the three versions one after the other. The sentence is the same each time, and each time it weighs less.

## Feelings come along

Behind a thought that keeps returning there is often a feeling that waits to be noticed. Where in the body is it? How large is it? May it stay for three breaths? Feelings that may be there tend to change sooner than those that may not.

## Where this ends

This is an exercise for everyday thoughts. If the same dark thoughts return for weeks, or an exercise makes things worse, stop and talk to someone whose profession it is. Asking for help is also a way of not believing everything you think.

## Try it

Five minutes a day for one week. Count nothing and judge nothing. In the evening write down the one name that came most often.
$text$,
$quiz${"questions": [
  {"id": "event", "multiple": false, "right": [1],
   "prompt": "What does it mean to see a thought as an event?",
   "options": ["It is always wrong",
               "It comes and goes, whatever its content",
               "It should be written down",
               "It has to be answered"],
   "explanation": "Its content may be true or not. That it is passing through the mind is certain."},
  {"id": "naming", "multiple": false, "right": [3],
   "prompt": "What does naming a thought do?",
   "options": ["It makes the thought come true",
               "It replaces the thought with a better one",
               "It ends all thinking",
               "It puts a little distance between you and the thought"],
   "explanation": "Whoever names something stands beside it and no longer inside it."},
  {"id": "names", "multiple": false, "right": [0],
   "prompt": "Which name is the right one for a thought?",
   "options": ["Any name will do",
               "The one a teacher gives",
               "Always \"worrying\"",
               "The first word of the thought"],
   "explanation": "It is the naming that helps, not the choice of word."},
  {"id": "handle", "multiple": false, "right": [2],
   "prompt": "Which sentence puts a handle on a thought?",
   "options": ["I should not think that",
               "That is certainly not true",
               "I am having the thought that I will fail",
               "I will think of something else"],
   "explanation": "It repeats the thought and says what it is."},
  {"id": "help", "multiple": true, "right": [1, 2],
   "prompt": "When does the lesson advise you to stop and ask for help? Choose all that apply.",
   "options": ["When a thought is boring",
               "When dark thoughts return for weeks",
               "When an exercise makes things worse",
               "When you lose count"],
   "explanation": "The exercise is for everyday thoughts. What lasts and weighs heavily belongs in experienced hands."}]}$quiz$),
('music_theory', 'notes_and_steps', 'Notes, half steps and whole steps',
 'The twelve notes, why some have two names, and how their distances are counted.', 8, 'beginner', 1,
$text$## Twelve notes, again and again

Look at a piano. The pattern of white and black keys repeats every twelve keys. Seven of them are white and bear the first letters of the alphabet: **A B C D E F G**. After G comes A again, higher by what is called an **octave**. Two notes an octave apart sound so alike that they share a name. There is a reason for it: the upper one swings exactly twice as fast. The A that orchestras tune to swings 440 times a second, and the next higher A 880 times.

## Sharps and flats

The five black keys borrow their names from their neighbours. **Sharp** (♯) means one key higher, **flat** (♭) one key lower. The black key between C and D is therefore C♯, and just as well D♭. Two names for the same key are called *enharmonic*. Which one is used depends on where the music comes from and where it goes, much as one may say "half past three" or "three thirty".

## The smallest distance

From one key to the very next, black or white, is a **half step**, also called a semitone. Two of them make a **whole step**.

On most places two white keys have a black one between them, so they are a whole step apart. In two places they do not: **between E and F, and between B and C**. There a half step lies between two white keys. These two places give the keyboard its shape, and the scales their character. It pays to know them by heart.

## Counting

To measure a distance, count the steps and not the keys. From C to E: C–C♯–D–D♯–E are four half steps, or two whole ones. From E to G: E–F–F♯–G are three. A guitar makes it easy to see, since each fret is one half step.

## Try it

Start on any note and name the next twelve, upwards with sharps, then back down with flats. You have come full circle when the first name returns. Then find all places on the keyboard where two white keys touch without a black one between them.
$text$,
$quiz${"questions": [
  {"id": "count", "multiple": false, "right": [3],
   "prompt": "How many half steps are in an octave?",
   "options": ["Seven",
               "Eight",
               "Ten",
               "Twelve"],
   "explanation": "The pattern repeats every twelve keys."},
  {"id": "white", "multiple": true, "right": [0, 2],
   "prompt": "Between which white keys is there only a half step? Choose all.",
   "options": ["E and F",
               "F and G",
               "B and C",
               "G and A"],
   "explanation": "Only there are two white keys neighbours without a black one between them."},
  {"id": "enharmonic", "multiple": false, "right": [1],
   "prompt": "Which note is the same key as G♯?",
   "options": ["G♭",
               "A♭",
               "F♯",
               "A♯"],
   "explanation": "One key up from G is one key down from A."},
  {"id": "octave", "multiple": false, "right": [0],
   "prompt": "The A below the orchestra's A swings how often per second?",
   "options": ["220 times",
               "400 times",
               "439 times",
               "880 times"],
   "explanation": "An octave lower is half as fast: 440 divided by 2."},
  {"id": "measure", "multiple": false, "right": [2],
   "prompt": "How far is it from D to F?",
   "options": ["One half step",
               "Two half steps",
               "Three half steps",
               "Four half steps"],
   "explanation": "D–D♯–E–F: three steps."}]}$quiz$),
('music_theory', 'intervals_by_name', 'Intervals and their names',
 'Seconds to octaves: how distances between notes are named, and how each one sounds.', 10, 'intermediate', 2,
$text$## Number and quality

An **interval** is the distance between two notes. Its name has two parts. The *number* counts the letters from the lower note to the upper one, both included: from C to E is C–D–E, a third. The *quality* tells how large it is exactly, because not every third has the same number of half steps.

Seconds, thirds, sixths and sevenths come in two ordinary sizes, **minor** and **major**, one half step apart. Unisons, fourths, fifths and octaves have one ordinary size, called **perfect**. Whatever is a half step larger than major or perfect is *augmented*; a half step smaller than minor or perfect is *diminished*.

## The table

| half steps | name | half steps | name |
|---|---|---|---|
| 1 | minor second | 7 | perfect fifth |
| 2 | major second | 8 | minor sixth |
| 3 | minor third | 9 | major sixth |
| 4 | major third | 10 | minor seventh |
| 5 | perfect fourth | 11 | major seventh |
| 6 | tritone | 12 | octave |

The **tritone** stands in the middle. As C–F♯ it is an augmented fourth, as C–G♭ a diminished fifth, and it sounds the same.

## How they sound

Octaves and fifths melt together. Thirds and sixths sound full and friendly; major ones brighter, minor ones darker. Seconds and sevenths rub, and want to go somewhere. The tritone is restless. Such words are only a help. In the end every ear finds its own.

## Turning them round

Put the lower note an octave up, and you get the **inversion**. The two numbers add up to nine: a third becomes a sixth, a fourth a fifth. Major becomes minor and the other way round, while perfect stays perfect. In half steps they add up to twelve. Whoever knows the small intervals therefore knows the large ones too.

## Try it

Sing or play C and the note a major third above it. Then a minor third. Go back and forth until you can hear which is which with your eyes closed. Do the same with fourth and fifth. Two intervals a day are plenty.
$text$,
$quiz${"questions": [
  {"id": "third", "multiple": false, "right": [2],
   "prompt": "How many half steps has a major third?",
   "options": ["Two",
               "Three",
               "Four",
               "Five"],
   "explanation": "C–C♯–D–D♯–E: four."},
  {"id": "quality", "multiple": true, "right": [0, 3],
   "prompt": "Which of these come as \"perfect\"? Choose all.",
   "options": ["Fifths",
               "Sixths",
               "Thirds",
               "Fourths"],
   "explanation": "Unisons, fourths, fifths and octaves are perfect; the others are minor or major."},
  {"id": "name", "multiple": false, "right": [1],
   "prompt": "What is the interval from D up to A?",
   "options": ["A major sixth",
               "A perfect fifth",
               "A perfect fourth",
               "A tritone"],
   "explanation": "Five letters, D–E–F–G–A, and seven half steps."},
  {"id": "inversion", "multiple": false, "right": [0],
   "prompt": "What does a minor third become when it is turned round?",
   "options": ["A major sixth",
               "A minor sixth",
               "A major third",
               "A perfect fifth"],
   "explanation": "Three and six make nine, minor becomes major, and 3 + 9 half steps make 12."},
  {"id": "tritone", "multiple": false, "right": [3],
   "prompt": "How many half steps has the tritone?",
   "options": ["Three",
               "Five",
               "Seven",
               "Six"],
   "explanation": "Three whole tones are six half steps, the middle of the octave."}]}$quiz$),
('music_theory', 'major_scale_and_triads', 'The major scale and its triads',
 'How seven notes make a key, and how chords grow out of it.', 11, 'intermediate', 3,
$text$## A ladder with uneven rungs

A **scale** picks some of the twelve notes and puts them in order. The best known is the **major scale**. It goes up in whole (W) and half (H) steps like this:

**W W H W W W H**

Starting on C, that gives the white keys: C D E F G A B C. The two half steps fall on E–F and B–C, exactly where the keyboard has no black key. Starting on G, the pattern needs one black key, F♯, so that the last step is a half step. On F it needs B♭. Each starting note, the **tonic**, has its own set of sharps or flats, and that is what the signs at the beginning of a line of music tell.

## Degrees

The notes of a scale are numbered from 1 to 7. The numbers say more than the letters, because they hold in every key: the fifth note of C major is G, the fifth of G major is D, and both do the same work there. The seventh, a half step under the tonic, pulls upwards so strongly that it is called the *leading note*.

## Triads

Take a note of the scale, skip one, take one, skip one, take one: 1–3–5. Three notes in thirds are a **triad**, the simplest full chord. Do so on each degree, and you find three kinds:

- On **1, 4 and 5** the lower third is major and the upper one minor: a **major** triad.
- On **2, 3 and 6** it is the other way round: a **minor** triad.
- On **7** both thirds are minor: a **diminished** triad.

Roman numerals name them, capitals for major: I ii iii IV V vi vii°. In C major, I is C–E–G, IV is F–A–C, and V is G–B–D. With these three, every note of the scale can be accompanied, and countless songs need nothing else.

## Upside down

A chord stays the same chord when its lowest note changes: E–G–C is still C major, in **first inversion**. It sounds lighter, and helps to move from chord to chord without large jumps.

## Try it

Write down the D major scale with the pattern above. Check: two sharps. Then build I, IV and V in D.
$text$,
$quiz${"questions": [
  {"id": "pattern", "multiple": false, "right": [1],
   "prompt": "Which is the pattern of the major scale?",
   "options": ["W H W W H W W",
               "W W H W W W H",
               "H W W H W W W",
               "W W W H W W H"],
   "explanation": "Two whole, one half, three whole, one half."},
  {"id": "g_major", "multiple": false, "right": [3],
   "prompt": "Which note of G major is a black key?",
   "options": ["C♯",
               "B♭",
               "G♯",
               "F♯"],
   "explanation": "The last step of the pattern has to be a half step, so F becomes F♯."},
  {"id": "minor", "multiple": false, "right": [0],
   "prompt": "On which degrees of a major scale do minor triads stand?",
   "options": ["2, 3 and 6",
               "1, 4 and 5",
               "Only on 7",
               "2, 4 and 6"],
   "explanation": "I, IV and V are major, vii is diminished, and the other three are minor."},
  {"id": "v_of_c", "multiple": false, "right": [2],
   "prompt": "Which notes are the triad V in C major?",
   "options": ["F–A–C",
               "E–G–B",
               "G–B–D",
               "A–C–E"],
   "explanation": "The fifth degree is G; skipping one note each time gives B and D."}]}$quiz$),
('music_theory', 'chord_functions', 'How chords lead on',
 'Rest, departure and tension: the three roles that chords play in a key.', 12, 'advanced', 4,
$text$## Three roles

Seven triads stand on the degrees of a major key, but they play only three roles.

- **Tonic** (I, also vi and iii) is home. A piece may stay there, and it may end there.
- **Subdominant** (IV, also ii) leaves home. It is open and in no hurry.
- **Dominant** (V, also vii°) is tension. It wants back to the tonic, and the ear knows it.

The usual round is *home, away, tension, home*: I–IV–V–I. Put ii in the place of IV and you get ii–V–I, the backbone of jazz. Put vi in, and I–vi–IV–V is half of the popular music of the 1950s. The names of the chords differ from key to key; the roles do not.

## Why V pulls

The triad on V contains the seventh degree, the leading note, which lies a half step under the tonic and wants to rise. Add one more third on top, and it becomes the **dominant seventh chord**, V7: in C major G–B–D–F. Now there is a tritone in it, between B and F. The restless interval resolves by moving inwards or outwards: B rises to C, F sinks to E, and there is C major. Two voices moved by a half step each, and everybody feels that something was settled.

## Endings

The formula at the end of a phrase is called a **cadence**.

- **Authentic**: V–I. A full stop.
- **Half**: the phrase ends on V. A question, or a comma.
- **Plagal**: IV–I. Soft, known from the *amen* of hymns.
- **Deceptive**: V–vi. The ear expects I and gets its relative; the sentence goes on.

## Borrowing the pull

Any chord can be given a dominant of its own. Before V in C major one may put D7, the dominant *of* G. Its F♯ is not in the key, and leads to G as B leads to C. This is called a **secondary dominant**, written V7/V. It is the shortest way to make a plain progression colourful.

## Try it

Play I–IV–V–I in C, then put ii in the place of IV, then D7 before V. After each version ask: where is it restless, and which note resolves it?
$text$,
$quiz${"questions": [
  {"id": "roles", "multiple": false, "right": [2],
   "prompt": "Which chord has the role of the dominant?",
   "options": ["IV",
               "ii",
               "V",
               "vi"],
   "explanation": "V, and vii° beside it, hold the tension that leads home."},
  {"id": "substitute", "multiple": false, "right": [0],
   "prompt": "Which chord can stand in for IV, because it plays the same role?",
   "options": ["ii",
               "V",
               "iii",
               "I"],
   "explanation": "ii shares two notes with IV, and its role."},
  {"id": "tritone", "multiple": false, "right": [1],
   "prompt": "Between which notes of G7 does the tritone lie?",
   "options": ["G and D",
               "B and F",
               "D and F",
               "G and B"],
   "explanation": "B and F are six half steps apart; B rises to C, and F sinks to E."},
  {"id": "deceptive", "multiple": false, "right": [3],
   "prompt": "What is a deceptive cadence?",
   "options": ["IV–I",
               "V–I",
               "I–V",
               "V–vi"],
   "explanation": "The ear expects the tonic and gets vi in its place."},
  {"id": "secondary", "multiple": true, "right": [0, 1, 3],
   "prompt": "What is true of D7 in C major? Choose all.",
   "options": ["It is the dominant of G",
               "It contains F♯, which is not in the key",
               "It is the tonic",
               "It may also be written V7/V"],
   "explanation": "A secondary dominant borrows the pull of V for another chord of the key."}]}$quiz$)
       ) AS s (topic, key, title, description, minutes, difficulty, place, content, quiz)
ON CONFLICT (key) DO NOTHING;

INSERT INTO learn_drills (
    id, topic_id, key, title, description, drill_type, difficulty, duration_seconds, sort_order, config_json, is_built_in)
SELECT md5('learn_drill:' || s.key)::uuid, md5('learn_topic:' || s.topic)::uuid, s.key, s.title, s.description, s.drill_type,
       s.difficulty, s.seconds, s.place, s.config::jsonb, true
  FROM (VALUES
('productivity', 'minute_by_feel', 'A minute by feel',
 'Press the button when you think that the time is over. Without a clock, of course.',
 'timing', 'beginner', 180, 1,
$config${"instructions": "Start, put your hands down, and press when the time has passed. The closer, the more points.", "rounds": 4,
 "prompts": [
  {"prompt": "Ten seconds", "target_seconds": 10, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0]},
  {"prompt": "Twenty seconds", "target_seconds": 20, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0]},
  {"prompt": "Forty-five seconds", "target_seconds": 45, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0]},
  {"prompt": "One minute", "target_seconds": 60, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0]}]}$config$),
('productivity', 'list_in_mind', 'The list in your head',
 'Look at a list of tasks, then say what was on it. It shows how little fits, and why lists are written.',
 'recall', 'intermediate', 120, 2,
$config${"instructions": "Each list is shown for a few seconds. Afterwards choose the task that was on it.", "rounds": 5,
 "prompts": [
  {"prompt": "Which of these was on the list?", "show": ["call the dentist", "pay the rent", "water the plants"], "show_seconds": 6, "choices": ["answer Amira", "pay the rent", "sharpen the knives", "feed the cat"], "answer": 1},
  {"prompt": "Which of these was on the list?", "show": ["return the library books", "answer Amira", "buy lamp oil", "book the train"], "show_seconds": 8, "choices": ["call the dentist", "print the tickets", "water the plants", "book the train"], "answer": 3},
  {"prompt": "Which of these was on the list?", "show": ["print the tickets", "water the plants", "buy lamp oil", "call the dentist", "answer Amira"], "show_seconds": 10, "choices": ["buy lamp oil", "pay the rent", "return the library books", "feed the cat"], "answer": 0},
  {"prompt": "Which of these was on the list?", "show": ["feed the cat", "sharpen the knives", "pay the rent", "return the library books", "book the train", "water the plants"], "show_seconds": 12, "choices": ["answer Amira", "call the dentist", "return the library books", "print the tickets"], "answer": 2},
  {"prompt": "Which of these was on the list?", "show": ["buy lamp oil", "answer Amira", "print the tickets", "feed the cat", "call the dentist", "sharpen the knives", "pay the rent"], "show_seconds": 14, "choices": ["water the plants", "feed the cat", "book the train", "return the library books"], "answer": 1}]}$config$),
('habits', 'cue_action_reward', 'Cue, action or reward?',
 'Sort the parts of everyday habits, as quickly as you can.',
 'recall', 'beginner', 60, 1,
$config${"instructions": "Say which part of a habit it is.", "rounds": 10,
 "prompts": [
  {"prompt": "The kettle begins to whistle.", "choices": ["cue", "action", "reward"], "answer": 0},
  {"prompt": "You floss one tooth.", "choices": ["cue", "action", "reward"], "answer": 1},
  {"prompt": "You put a tick in the calendar.", "choices": ["cue", "action", "reward"], "answer": 2},
  {"prompt": "You come home and close the door.", "choices": ["cue", "action", "reward"], "answer": 0},
  {"prompt": "The shower is warm after the run.", "choices": ["cue", "action", "reward"], "answer": 2},
  {"prompt": "You write one sentence.", "choices": ["cue", "action", "reward"], "answer": 1},
  {"prompt": "The lunch break begins.", "choices": ["cue", "action", "reward"], "answer": 0},
  {"prompt": "You walk once around the block.", "choices": ["cue", "action", "reward"], "answer": 1},
  {"prompt": "You feel proud for a moment.", "choices": ["cue", "action", "reward"], "answer": 2},
  {"prompt": "The alarm rings at half past six.", "choices": ["cue", "action", "reward"], "answer": 0}]}$config$),
('habits', 'morning_chain', 'The morning chain',
 'Each link of a routine is the cue for the next. Keep growing chains in order.',
 'sequence', 'intermediate', 120, 2,
$config${"instructions": "Read the chain, then say what comes next.", "rounds": 5,
 "prompts": [
  {"prompt": "What comes after waking up?", "show": ["wake up", "open the window"], "show_seconds": 3, "choices": ["drink a glass of water", "open the window", "make the bed"], "answer": 1},
  {"prompt": "What comes after the window?", "show": ["wake up", "open the window", "drink a glass of water"], "show_seconds": 4, "choices": ["drink a glass of water", "stretch", "wake up"], "answer": 0},
  {"prompt": "What comes before stretching?", "show": ["wake up", "open the window", "drink a glass of water", "stretch"], "show_seconds": 5, "choices": ["open the window", "shower", "drink a glass of water"], "answer": 2},
  {"prompt": "What comes after stretching?", "show": ["wake up", "open the window", "drink a glass of water", "stretch", "shower"], "show_seconds": 6, "choices": ["shower", "wake up", "breakfast"], "answer": 0},
  {"prompt": "What is the fourth link?", "show": ["wake up", "open the window", "drink a glass of water", "stretch", "shower", "breakfast"], "show_seconds": 7, "choices": ["shower", "stretch", "breakfast", "drink a glass of water"], "answer": 1}]}$config$),
('fitness_basics', 'effort_scale', 'From effort to reserve',
 'Turn RPE into repetitions left, and back, without thinking.',
 'recall', 'beginner', 60, 1,
$config${"instructions": "How many repetitions were left?", "rounds": 8,
 "prompts": [
  {"prompt": "RPE 8", "choices": ["none", "1", "2", "3", "4"], "answer": 2},
  {"prompt": "RPE 10", "choices": ["none", "1", "2", "3", "4"], "answer": 0},
  {"prompt": "RPE 7", "choices": ["none", "1", "2", "3", "4"], "answer": 3},
  {"prompt": "RPE 9", "choices": ["none", "1", "2", "3", "4"], "answer": 1},
  {"prompt": "RPE 6", "choices": ["none", "1", "2", "3", "4"], "answer": 4},
  {"prompt": "Ten done, twelve would have gone", "choices": ["none", "1", "2", "3", "4"], "answer": 2},
  {"prompt": "The last repetition did not go up", "choices": ["none", "1", "2", "3", "4"], "answer": 0},
  {"prompt": "Eight done, nine would have gone", "choices": ["none", "1", "2", "3", "4"], "answer": 1}]}$config$),
('fitness_basics', 'tempo_count', 'Slow on the way down',
 'Keep the tempo of a controlled repetition: lower, pause, lift.',
 'timing', 'intermediate', 150, 2,
$config${"instructions": "Move with the count and press when the set is over: each repetition takes the seconds of its three parts together.", "rounds": 4,
 "prompts": [
  {"prompt": "Three repetitions of 3 down, 1 pause, 1 up", "target_seconds": 15, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "tempo": [3, 1, 1], "repetitions": 3},
  {"prompt": "Four repetitions of 2 down, 0 pause, 1 up", "target_seconds": 12, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "tempo": [2, 0, 1], "repetitions": 4},
  {"prompt": "Five repetitions of 4 down, 1 pause, 1 up", "target_seconds": 30, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "tempo": [4, 1, 1], "repetitions": 5},
  {"prompt": "Six repetitions of 3 down, 2 pause, 1 up", "target_seconds": 36, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "tempo": [3, 2, 1], "repetitions": 6}]}$config$),
('mindfulness', 'long_breath', 'The long way out',
 'Breathe in for four and out for six, and feel how long a round takes.',
 'timing', 'beginner', 180, 1,
$config${"instructions": "Breathe in for four seconds and out for six. Press after the rounds that are asked for.", "rounds": 3,
 "prompts": [
  {"prompt": "Two breaths", "target_seconds": 20, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "breath": [4, 6]},
  {"prompt": "Four breaths", "target_seconds": 40, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "breath": [4, 6]},
  {"prompt": "Six breaths", "target_seconds": 60, "choices": ["within 1 second", "within 3 seconds", "within 6 seconds", "further off"], "points": [100, 80, 60, 0], "breath": [4, 6]}]}$config$),
('mindfulness', 'body_path', 'The path through the body',
 'Follow a path from part to part and keep it in mind: attention with a little memory.',
 'sequence', 'intermediate', 150, 2,
$config${"instructions": "Go along the path with your attention, one breath for each part. Then answer.", "rounds": 5,
 "prompts": [
  {"prompt": "Where did the path end?", "show": ["left foot", "right knee", "belly"], "show_seconds": 9, "choices": ["belly", "right knee", "chest"], "answer": 0},
  {"prompt": "What came after the right hand?", "show": ["right hand", "left shoulder", "forehead", "jaw"], "show_seconds": 12, "choices": ["jaw", "left shoulder", "forehead"], "answer": 1},
  {"prompt": "What was the second part?", "show": ["left hip", "right ankle", "left hand", "neck"], "show_seconds": 12, "choices": ["left hand", "neck", "right ankle"], "answer": 2},
  {"prompt": "What came before the chest?", "show": ["right foot", "left knee", "pelvis", "chest", "tongue"], "show_seconds": 15, "choices": ["tongue", "pelvis", "left knee"], "answer": 1},
  {"prompt": "Which part was not on the path?", "show": ["left ear", "right elbow", "belly", "left heel", "eyelids"], "show_seconds": 15, "choices": ["eyelids", "left heel", "right elbow", "left elbow"], "answer": 3}]}$config$),
('music_theory', 'hear_intervals', 'Hear the interval',
 'Two notes, one after the other. Which interval is it?',
 'interval', 'beginner', 90, 1,
$config${"instructions": "Notes are MIDI numbers; 60 is middle C. Play them one after the other, then together.", "rounds": 10,
 "prompts": [
  {"prompt": "Which interval is it?", "notes": [60, 64], "choices": ["minor third", "major third", "perfect fifth"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [57, 64], "choices": ["perfect fourth", "perfect fifth", "octave"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [64, 67], "choices": ["major second", "minor third", "major third"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [55, 67], "choices": ["perfect fifth", "major seventh", "octave"], "answer": 2},
  {"prompt": "Which interval is it?", "notes": [62, 67], "choices": ["major third", "perfect fourth", "perfect fifth"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [59, 61], "choices": ["minor second", "major second", "minor third"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [60, 69], "choices": ["minor sixth", "major sixth", "octave"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [65, 66], "choices": ["minor second", "major second", "minor third"], "answer": 0},
  {"prompt": "Which interval is it?", "notes": [58, 64], "choices": ["perfect fourth", "tritone", "perfect fifth"], "answer": 1},
  {"prompt": "Which interval is it?", "notes": [61, 71], "choices": ["major sixth", "minor seventh", "major seventh"], "answer": 1}]}$config$),
('music_theory', 'hear_triads', 'Hear the triad',
 'Three notes at once: major, minor, diminished or augmented?',
 'chord', 'intermediate', 90, 2,
$config${"instructions": "Notes are MIDI numbers; 60 is middle C. Play them together, then from the lowest up.", "rounds": 10,
 "prompts": [
  {"prompt": "Which kind of triad is it?", "notes": [60, 64, 67], "choices": ["major", "minor", "diminished", "augmented"], "answer": 0},
  {"prompt": "Which kind of triad is it?", "notes": [57, 60, 64], "choices": ["major", "minor", "diminished", "augmented"], "answer": 1},
  {"prompt": "Which kind of triad is it?", "notes": [65, 69, 72], "choices": ["major", "minor", "diminished", "augmented"], "answer": 0},
  {"prompt": "Which kind of triad is it?", "notes": [62, 65, 69], "choices": ["major", "minor", "diminished", "augmented"], "answer": 1},
  {"prompt": "Which kind of triad is it?", "notes": [59, 62, 65], "choices": ["major", "minor", "diminished", "augmented"], "answer": 2},
  {"prompt": "Which kind of triad is it?", "notes": [64, 67, 71], "choices": ["major", "minor", "diminished", "augmented"], "answer": 1},
  {"prompt": "Which kind of triad is it?", "notes": [60, 64, 68], "choices": ["major", "minor", "diminished", "augmented"], "answer": 3},
  {"prompt": "Which kind of triad is it?", "notes": [55, 59, 62], "choices": ["major", "minor", "diminished", "augmented"], "answer": 0},
  {"prompt": "Which kind of triad is it?", "notes": [66, 69, 72], "choices": ["major", "minor", "diminished", "augmented"], "answer": 2},
  {"prompt": "Which kind of triad is it?", "notes": [63, 67, 71], "choices": ["major", "minor", "diminished", "augmented"], "answer": 3}]}$config$),
('music_theory', 'count_rhythms', 'Count the rhythm',
 'Hear one bar of four beats and find out how it is counted. A beat in brackets is silent.',
 'rhythm', 'beginner', 90, 3,
$config${"instructions": "Each number is a beat on which a note begins, from 0. Play one bar, then repeat it.", "tempo_bpm": 80, "beats_per_bar": 4, "rounds": 8,
 "prompts": [
  {"prompt": "How is it counted?", "beats": [0, 1, 2, 3], "choices": ["1 2 3 4", "1 & 2 3 4", "1 (2) 3 4"], "answer": 0},
  {"prompt": "How is it counted?", "beats": [0, 1, 1.5, 2, 3], "choices": ["1 & 2 3 4", "1 2 & 3 4", "1 2 3 & 4"], "answer": 1},
  {"prompt": "How is it counted?", "beats": [0, 2, 3], "choices": ["1 2 3 4", "1 (2) 3 4", "1 2 (3) 4 &"], "answer": 1},
  {"prompt": "How is it counted?", "beats": [0, 0.5, 1, 1.5, 2, 3], "choices": ["1 & 2 3 4", "1 2 & 3 4", "1 & 2 & 3 4"], "answer": 2},
  {"prompt": "How is it counted?", "beats": [0, 1, 2, 2.5, 3], "choices": ["1 2 3 4", "1 2 & 3 4", "1 2 3 & 4"], "answer": 2},
  {"prompt": "How is it counted?", "beats": [0, 1, 3, 3.5], "choices": ["1 2 3 & 4", "1 (2) 3 4", "1 2 (3) 4 &"], "answer": 2},
  {"prompt": "How is it counted?", "beats": [0, 0.5, 1, 2, 3], "choices": ["1 & 2 3 4", "1 2 & 3 4", "1 & 2 & 3 4"], "answer": 0},
  {"prompt": "How is it counted?", "beats": [0, 1, 2, 2.5, 3], "choices": ["1 & 2 3 4", "1 2 3 & 4", "1 2 (3) 4 &"], "answer": 1}]}$config$),
('music_theory', 'complete_scales', 'Complete the scale',
 'One note is missing from a major scale. Which one?',
 'scale', 'intermediate', 120, 4,
$config${"instructions": "Read the scale from the tonic upwards and fill the gap.", "rounds": 8,
 "prompts": [
  {"prompt": "Which note is missing in C major?", "show": ["C", "D", "E", "?", "G", "A", "B"], "choices": ["F", "F♯", "E♯"], "answer": 0},
  {"prompt": "Which note is missing in G major?", "show": ["G", "A", "B", "C", "D", "E", "?"], "choices": ["F", "F♯", "G♭"], "answer": 1},
  {"prompt": "Which note is missing in D major?", "show": ["D", "E", "F♯", "G", "A", "B", "?"], "choices": ["C", "D♭", "C♯"], "answer": 2},
  {"prompt": "Which note is missing in F major?", "show": ["F", "G", "A", "?", "C", "D", "E"], "choices": ["B♭", "B", "A♯"], "answer": 0},
  {"prompt": "Which note is missing in A major?", "show": ["A", "B", "C♯", "D", "E", "F♯", "?"], "choices": ["G", "A♭", "G♯"], "answer": 2},
  {"prompt": "Which note is missing in B♭ major?", "show": ["B♭", "C", "D", "?", "F", "G", "A"], "choices": ["E", "E♭", "D♯"], "answer": 1},
  {"prompt": "Which note is missing in E major?", "show": ["E", "F♯", "G♯", "A", "B", "C♯", "?"], "choices": ["D♯", "D", "E♭"], "answer": 0},
  {"prompt": "Which note is missing in E♭ major?", "show": ["E♭", "F", "G", "?", "B♭", "C", "D"], "choices": ["A", "G♯", "A♭"], "answer": 2}]}$config$)
       ) AS s (topic, key, title, description, drill_type, difficulty, seconds, place, config)
ON CONFLICT (key) DO NOTHING;

INSERT INTO starter_decks (key, name, description, category, sort_order) VALUES
    ('music_intervals', 'Intervals', 'Half steps, names and inversions of the intervals within an octave.', 'music', 1),
    ('training_terms', 'Training terms', 'What the words of strength training mean, in one sentence each.', 'fitness', 2)
ON CONFLICT (key) DO NOTHING;

INSERT INTO starter_cards (deck_key, position, front, back, hint, tags) VALUES
    ('music_intervals', 1, 'How many half steps has a minor second?',
     '1 (C–D♭)', NULL, '{half_steps}'),
    ('music_intervals', 2, 'How many half steps has a major second?',
     '2 (C–D)', NULL, '{half_steps}'),
    ('music_intervals', 3, 'How many half steps has a minor third?',
     '3 (C–E♭)', NULL, '{half_steps}'),
    ('music_intervals', 4, 'How many half steps has a major third?',
     '4 (C–E)', NULL, '{half_steps}'),
    ('music_intervals', 5, 'How many half steps has a perfect fourth?',
     '5 (C–F)', NULL, '{half_steps}'),
    ('music_intervals', 6, 'How many half steps has a tritone?',
     '6 (C–F♯)', NULL, '{half_steps}'),
    ('music_intervals', 7, 'How many half steps has a perfect fifth?',
     '7 (C–G)', NULL, '{half_steps}'),
    ('music_intervals', 8, 'How many half steps has a minor sixth?',
     '8 (C–A♭)', NULL, '{half_steps}'),
    ('music_intervals', 9, 'How many half steps has a major sixth?',
     '9 (C–A)', NULL, '{half_steps}'),
    ('music_intervals', 10, 'How many half steps has a minor seventh?',
     '10 (C–B♭)', NULL, '{half_steps}'),
    ('music_intervals', 11, 'How many half steps has a major seventh?',
     '11 (C–B)', NULL, '{half_steps}'),
    ('music_intervals', 12, 'How many half steps has an octave?',
     '12 (C–C)', NULL, '{half_steps}'),
    ('music_intervals', 13, 'Name the interval from D up to F.',
     'Minor third', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 14, 'Name the interval from E up to G♯.',
     'Major third', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 15, 'Name the interval from G up to C.',
     'Perfect fourth', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 16, 'Name the interval from A up to E.',
     'Perfect fifth', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 17, 'Name the interval from F up to B.',
     'Augmented fourth, a tritone', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 18, 'Name the interval from B up to F.',
     'Diminished fifth, a tritone', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 19, 'Name the interval from D up to B.',
     'Major sixth', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 20, 'Name the interval from E up to C.',
     'Minor sixth', 'Count the letters for the number, the half steps for the quality.', '{by_name}'),
    ('music_intervals', 21, 'What does a minor second become when it is inverted?',
     'Major seventh', 'The numbers add up to nine, the half steps to twelve.', '{inversions}'),
    ('music_intervals', 22, 'What does a major third become when it is inverted?',
     'Minor sixth', NULL, '{inversions}'),
    ('music_intervals', 23, 'What does a minor third become when it is inverted?',
     'Major sixth', NULL, '{inversions}'),
    ('music_intervals', 24, 'What does a perfect fourth become when it is inverted?',
     'Perfect fifth', NULL, '{inversions}'),
    ('music_intervals', 25, 'What does a tritone become when it is inverted?',
     'Tritone', NULL, '{inversions}'),
    ('music_intervals', 26, 'Which intervals are called perfect?',
     'Unison, fourth, fifth and octave.', NULL, '{by_name}'),
    ('training_terms', 1, 'Repetition (rep)',
     'One complete movement of an exercise.', NULL, '{basics}'),
    ('training_terms', 2, 'Set',
     'A row of repetitions without a pause.', NULL, '{basics}'),
    ('training_terms', 3, 'Progressive overload',
     'Asking for a little more over time: weight, repetitions, sets or better execution.', NULL, '{principles}'),
    ('training_terms', 4, 'Double progression',
     'First more repetitions within a range, then more weight and back to the bottom of the range.', 'Two numbers climb in turns.', '{principles}'),
    ('training_terms', 5, 'Specificity',
     'The body adapts to what it is asked to do, and to little else.', NULL, '{principles}'),
    ('training_terms', 6, 'RPE',
     'Rate of perceived exertion: how hard a set was, up to 10, where no repetition was left.', NULL, '{effort}'),
    ('training_terms', 7, 'RIR',
     'Repetitions in reserve: how many more would have been possible.', '10 minus RPE.', '{effort}'),
    ('training_terms', 8, 'Failure',
     'The point at which no further repetition goes with good technique.', NULL, '{effort}'),
    ('training_terms', 9, 'One-rep max (1RM)',
     'The heaviest weight that can be lifted once.', NULL, '{strength}'),
    ('training_terms', 10, 'Epley formula',
     'An estimate of the one-rep max: weight × (1 + repetitions ÷ 30).', NULL, '{strength}'),
    ('training_terms', 11, 'Volume',
     'The amount of work, usually counted as hard sets per muscle and week.', NULL, '{planning}'),
    ('training_terms', 12, 'Intensity',
     'In strength training: how heavy the weight is, as a share of the one-rep max.', 'Not the same as effort.', '{planning}'),
    ('training_terms', 13, 'Frequency',
     'How many times a week a muscle or lift is trained.', NULL, '{planning}'),
    ('training_terms', 14, 'Deload',
     'A planned lighter week in which fatigue falls.', NULL, '{recovery}'),
    ('training_terms', 15, 'Supercompensation',
     'After recovery the body is for a while a little above where it began.', NULL, '{recovery}'),
    ('training_terms', 16, 'DOMS',
     'Delayed onset muscle soreness: the ache one or two days after something unfamiliar.', 'D is for delayed.', '{recovery}'),
    ('training_terms', 17, 'Compound exercise',
     'An exercise that moves several joints at once, such as a squat.', NULL, '{exercises}'),
    ('training_terms', 18, 'Isolation exercise',
     'An exercise that moves one joint, such as a biceps curl.', NULL, '{exercises}'),
    ('training_terms', 19, 'Superset',
     'Two exercises in turns, with no rest, or hardly any, between them.', NULL, '{methods}'),
    ('training_terms', 20, 'Drop set',
     'A set that goes on with less weight as soon as it reaches the limit.', NULL, '{methods}'),
    ('training_terms', 21, 'AMRAP',
     'As many repetitions as possible: a set without a number to stop at.', NULL, '{methods}'),
    ('training_terms', 22, 'Warm-up set',
     'A lighter set that prepares the joints and the movement, and does not count as work.', NULL, '{methods}'),
    ('training_terms', 23, 'Tempo 3-1-1',
     'Three seconds down, one second pause, one second up.', NULL, '{methods}'),
    ('training_terms', 24, 'Eccentric',
     'The part of a movement in which a muscle lengthens under load: lowering.', NULL, '{movement}'),
    ('training_terms', 25, 'Concentric',
     'The part of a movement in which a muscle shortens under load: lifting.', NULL, '{movement}'),
    ('training_terms', 26, 'Isometric',
     'Tension without movement, as in a plank.', NULL, '{movement}'),
    ('training_terms', 27, 'Range of motion',
     'How far a joint moves in an exercise; a full one trains more of the muscle.', NULL, '{movement}'),
    ('training_terms', 28, 'Push, pull, legs',
     'A split of the week into three kinds of days, by the direction of the movement.', NULL, '{planning}')
ON CONFLICT (deck_key, position) DO NOTHING;
