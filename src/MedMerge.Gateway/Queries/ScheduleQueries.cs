using MedMerge.Storage.Schedules;

namespace MedMerge.Gateway.Queries;

/// <summary>The schedules in the store.</summary>
internal sealed class ScheduleQueries(ScheduleStore schedules, TimeProvider time)
{
    /// <summary>All schedules by name. One with a damaged record is listed as such and does not hide the others.</summary>
    public async Task<List<ScheduleStatus>> ListAsync(CancellationToken cancellation)
    {
        var found = new List<ScheduleStatus>();
        foreach (var name in await schedules.ListAsync(cancellation))
            if (await FindAsync(name, cancellation) is { } status) found.Add(status);
        return found;
    }

    /// <summary>A schedule; null where there is none of that name, which may be any text.</summary>
    public async Task<ScheduleStatus?> FindAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var found = await schedules.FindAsync(name, cancellation);
            return found is var (schedule, _) ? ScheduleStatus.Of(schedule, time.GetUtcNow()) : null;
        }
        catch (InvalidDataException damaged)
        {
            return ScheduleStatus.Damaged(name, damaged.Message); // nodes log it
        }
    }
}
