using MedMerge.Storage;
using MedMerge.Storage.Schedules;

namespace MedMerge.Gateway;

/// <summary>The body that adds a schedule.</summary>
/// <param name="Cron">Minute, hour, day of month, month, day of week.</param>
/// <param name="Zone">IANA name of the time zone.</param>
/// <param name="Specification">The specification as YAML.</param>
/// <param name="Files">Uploaded files as <c>sha256:HASH/NAME</c>, keyed by the path written in the specification.</param>
/// <param name="Missed"><c>latest</c> (default), <c>all</c> or <c>none</c>.</param>
/// <param name="Overlap"><c>skip</c> (default), <c>queue</c> or <c>allow</c>.</param>
internal sealed record AddScheduleRequest(
    string Name,
    string Cron,
    string Zone,
    string Specification,
    IReadOnlyDictionary<string, string>? Files = null,
    string? Missed = null,
    string? Overlap = null,
    bool Recompute = false)
{
    /// <summary>What it submits.</summary>
    public SubmitRequest ToSubmission() => new(Specification, Files);
}

/// <summary>The answer to a user who runs a schedule now.</summary>
/// <param name="Sweep">The id of the sweep, which a node submits within seconds.</param>
internal sealed record RunNowResponse(string Sweep);

/// <summary>Adds and changes schedules; nodes run them.</summary>
internal sealed class ScheduleChanges(
    ScheduleStore schedules,
    Submissions submissions,
    ArtefactStore artefacts,
    TimeProvider time)
{
    /// <summary>Checks a whole schedule and keeps it.</summary>
    /// <returns>Its status; null where the name is taken.</returns>
    /// <exception cref="InputException">Something in it is invalid.</exception>
    public async Task<ScheduleStatus?> AddAsync(AddScheduleRequest request, CancellationToken cancellation)
    {
        Schedule.CheckName(request.Name);
        var times = ScheduleTimes.Read(request.Cron, request.Zone);
        var missed = Read(request.Missed, "missed", MissedTimes.Latest);
        var overlap = Read(request.Overlap, "overlap", ScheduleOverlap.Skip);
        if (times.Next(time.GetUtcNow()) is null) throw new InputException($"The cron expression '{request.Cron}' never comes due.");
        if (await IsTakenAsync(request.Name, cancellation)) return null;

        var (submission, _) = await submissions.WriteAsync(request.ToSubmission(), cancellation);
        var now = time.GetUtcNow();
        var schedule = new Schedule(
            request.Name,
            submission.Name,
            submission.Specification,
            submission.Plan,
            CodeVersion.Current,
            [.. await new PlanCache(artefacts).FilesAsync(submission.Specification)],
            request.Cron,
            request.Zone,
            missed,
            overlap,
            IsPaused: false,
            times.Next(now),
            Queue: [],
            History: [])
        {
            Recomputes = request.Recompute,
        };
        return await schedules.TryCreateAsync(schedule, cancellation) ? ScheduleStatus.Of(schedule, now) : null;
    }

    /// <summary>Pauses or resumes a schedule.</summary>
    /// <returns>Its status; null where there is none of that name.</returns>
    public async Task<ScheduleStatus?> SetPausedAsync(string name, bool isPaused, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        Schedule Change(Schedule schedule) => isPaused ? schedule.Paused() : schedule.Resumed(now);
        var changed = await schedules.UpdateAsync(name, Change, cancellation);
        return changed is var (_, after) ? ScheduleStatus.Of(after, now) : null;
    }

    /// <summary>Has a schedule run now, beside its times.</summary>
    /// <returns>The id of the sweep; null where there is no schedule of that name.</returns>
    /// <exception cref="InputException">Too many runs wait.</exception>
    public async Task<string?> RunNowAsync(string name, CancellationToken cancellation)
    {
        var run = ScheduledRun.Manual(time.GetUtcNow());
        var changed = await schedules.UpdateAsync(name, schedule => schedule.WithManual(run), cancellation);
        return changed is null ? null : run.SweepId(name);
    }

    private async Task<bool> IsTakenAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await schedules.FindAsync(name, cancellation) is not null;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private static T Read<T>(string? text, string key, T unset) where T : struct, Enum
    {
        if (text is null) return unset;
        var found = Enum.GetValues<T>().Where(value => value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)).ToList();
        if (found.Count == 1) return found[0];
        throw new InputException($"{key} is '{text}'; it must be one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
    }
}
