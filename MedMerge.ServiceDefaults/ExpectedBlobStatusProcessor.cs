using System.Diagnostics;
using OpenTelemetry;

namespace MedMerge.ServiceDefaults;

/// <summary>
/// Clears the error of blob calls whose status is an expected answer: 404 to "does it exist?", 409 or 412 to a
/// conditional write. Otherwise every trial would be shown as failed.
/// </summary>
internal sealed class ExpectedBlobStatusProcessor : BaseProcessor<Activity>
{
    private static readonly HashSet<string?> Expected = ["BlobNotFound", "BlobAlreadyExists", "ConditionNotMet", "404", "409", "412"];

    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        if (data.Status != ActivityStatusCode.Error || !data.Source.Name.StartsWith("Azure.", StringComparison.Ordinal)) return;
        if (Expected.Contains(data.GetTagItem("error.type") as string)) data.SetStatus(ActivityStatusCode.Unset);
    }
}
