using System.Diagnostics;
using OpenTelemetry;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Takes the error off blob calls whose answer was one of those that are asked for: "is it there?" is answered by 404, a conditional write by 409 or 412. Otherwise
/// every trial would be shown as failed.
/// </summary>
internal sealed class ExpectedAnswers : BaseProcessor<Activity>
{
    private static readonly HashSet<string?> Expected = ["BlobNotFound", "BlobAlreadyExists", "ConditionNotMet", "404", "409", "412"];

    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        if (data.Status != ActivityStatusCode.Error || !data.Source.Name.StartsWith("Azure.", StringComparison.Ordinal)) return;
        if (Expected.Contains(data.GetTagItem("error.type") as string)) data.SetStatus(ActivityStatusCode.Unset);
    }
}
