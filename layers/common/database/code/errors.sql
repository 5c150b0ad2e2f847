SET LOCAL ROLE questlog_owner;

-- Refuses a request: every refusal in SQL is raised here. The API reads the status from the error's code, the type from its
-- hint and the details from its detail. It is boolean so that a condition can end in it:
-- WHERE fits OR refuse(409, 'conflict', 'It does not fit.').
CREATE OR REPLACE FUNCTION app.refuse(status int, error_type text, sentence text, details jsonb DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'PT' || status, MESSAGE = sentence, HINT = error_type, DETAIL = details::text;
END
$$;

-- Refuses bad input with 400 validation_error, in the form that the API uses for bad fields. `problems` is an object: a
-- sentence by field. When it is empty nothing is refused.
CREATE OR REPLACE FUNCTION app.refuse_fields(problems jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN problems = '{}' OR refuse(400, 'validation_error', 'Some of what was sent is not valid.', jsonb_build_object(
        'fields', (SELECT jsonb_agg(jsonb_build_object('field', p.key, 'message', p.value)) FROM jsonb_each(problems) AS p)));
END
$$;

-- The same for one field.
CREATE OR REPLACE FUNCTION app.refuse_field(field text, problem text) RETURNS boolean
LANGUAGE sql VOLATILE
RETURN refuse_fields(jsonb_build_object(field, problem));

-- Raises an error for a mistake of the program. It is no PT error, so a request answers 500.
CREATE OR REPLACE FUNCTION app.misuse(sentence text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = sentence;
END
$$;
